// The way from one picture to another: a slider that paints live.

import { hush, say, tell } from "/words.js";

const $ = (id) => document.getElementById(id);

/**
 * Wires the slider up.
 *
 * `studio` has the gallery's picture of the moment (`chosen`), paints (`paint(settings, signal)`), shows a file
 * (`show(url, settings)`) and keeps one (`keep(settings, blob)`).
 */
export function startBlend(studio) {
  let from = null;
  let to = null;
  let isChoosing = false;
  let now = null;
  let isPainting = false;
  let wants = false;
  let last = null;

  const close = () => {
    [from, to, isChoosing] = [null, null, false];
    now?.abort();
    $("way").hidden = true;
    $("blend").setAttribute("aria-pressed", "false");
  };

  const wanted = () => ({
    ...plain(from.settings),
    to_prompt: to.settings.prompt,
    to_seed: to.settings.seed,
    share: Number($("share").value) / 100,
  });

  const paint = async () => {
    wants = true;
    if (isPainting) return;
    isPainting = true;
    // The newest position of the slider counts; those it passed meanwhile are left out.
    while (wants && to) {
      wants = false;
      const settings = wanted();
      now = new AbortController();
      try {
        const blob = await studio.paint(settings, now.signal);
        if (!to) break;
        if (last) URL.revokeObjectURL(last.url);
        last = { settings, blob, url: URL.createObjectURL(blob) };
        studio.show(last.url, settings);
      } catch (error) {
        if (error.name !== "AbortError") tell(error.message);
      }
    }
    isPainting = false;
  };

  $("blend").addEventListener("click", () => {
    if (from) { close(); return; }
    from = studio.chosen();
    if (!from) return;
    isChoosing = true;
    $("blend").setAttribute("aria-pressed", "true");
    tell(say("chooseOther"));
  });
  $("share").addEventListener("input", () => {
    $("share").setAttribute("aria-valuetext", `${$("share").value} %`);
    paint();
  });
  $("keep").addEventListener("click", () => {
    if (last && to) studio.keep(last.settings, last.blob);
  });

  return {
    /** A picture of the gallery was chosen: the other end, if one is looked for. */
    takes(tile) {
      if (!isChoosing) { if (from) close(); return false; }
      if (tile === from) return true;
      isChoosing = false;
      hush();
      to = tile;
      $("way-from").src = from.url;
      $("way-to").src = to.url;
      $("way-from").alt = from.settings.prompt;
      $("way-to").alt = to.settings.prompt;
      $("share").value = "50";
      $("way").hidden = false;
      $("share").focus();
      paint();
      return true;
    },
    close,
  };
}

/** Settings without a way or styles of others. */
function plain(settings) {
  const { prompt, seed, truncation, noise, truncation_cutoff } = settings;
  return truncation_cutoff === undefined
    ? { prompt, seed, truncation, noise } : { prompt, seed, truncation, noise, truncation_cutoff };
}
