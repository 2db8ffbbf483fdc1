// Two pictures of the gallery: the way between them, painted live, or the styles of one in layers of the other.

import { hush, say, tell } from "/words.js";

const $ = (id) => document.getElementById(id);
const framesOfLeg = 16;
const framesPerSecond = 16;
const stopsOfLoop = 4;
const largestSeed = (1n << 64n) - 1n;

/** Whether a picture was painted from words, and stands still. */
const isPlain = (tile) => !tile.film && tile.settings.picture_id === undefined;

/**
 * Wires the controls up.
 *
 * `studio` has the gallery's picture of the moment (`chosen`), the number of the model's `layers`, paints
 * (`paint(settings, signal)`), makes an animation (`walk(order, signal)`), shows a file (`show(url, settings)`) and
 * keeps one (`keep(settings, blob, film)`; `film` says what moves, and is empty for a still picture).
 */
export function startBlend(studio) {
  let kind = "blend";
  let from = null;
  let to = null;
  let isChoosing = false;
  let now = null;
  let isPainting = false;
  let wants = false;
  let last = null;

  for (const id of ["layer-first", "layer-last"]) $(id).max = String(studio.layers - 1);

  const close = () => {
    [from, to, isChoosing] = [null, null, false];
    now?.abort();
    $("way").hidden = true;
    for (const id of ["blend", "mix"]) $(id).setAttribute("aria-pressed", "false");
  };

  const wanted = () => (kind === "mix"
    ? { ...plain(from.settings), mix_seed: to.settings.seed, mix_layers: `${$("layer-first").value}-${$("layer-last").value}` }
    : {
      ...plain(from.settings),
      to_prompt: to.settings.prompt,
      to_seed: to.settings.seed,
      to_truncation: to.settings.truncation,
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

  const begin = (which) => {
    const wasThis = from && kind === which;
    close();
    if (wasThis) return;
    const tile = studio.chosen();
    if (!tile) return;
    if (which === "blend" && !isPlain(tile)) { tell(say("onlyWords")); return; }
    [kind, from, isChoosing] = [which, tile, true];
    $(which).setAttribute("aria-pressed", "true");
    tell(say("chooseOther"));
  };

  /** An interpolation between these stops, a loop or ending on the last, which becomes a picture of the gallery. */
  const film = async (button, stops, settings, loop = true) => {
    now?.abort();
    const run = new AbortController();
    now = run;
    const count = loop ? stops.length * framesOfLeg : (stops.length - 1) * framesOfLeg + 1;
    button.disabled = true;
    tell(say("filming", count), 600_000);
    try {
      const order = { stops, loop, frames: framesOfLeg, fps: framesPerSecond, noise: settings.noise === "none" ? "none" : "const" };
      if (settings.truncation_cutoff !== undefined) order.truncation_cutoff = settings.truncation_cutoff;
      const blob = await studio.walk(order, run.signal);
      close();
      studio.keep(settings, blob, say(loop ? "filmLine" : "onceLine", count));
      tell(say("filmed"));
    } catch (error) {
      if (error.name !== "AbortError") tell(error.message); else hush();
    }
    button.disabled = false;
  };

  for (const which of ["blend", "mix"]) $(which).addEventListener("click", () => begin(which));
  $("share").addEventListener("input", () => {
    $("share").setAttribute("aria-valuetext", `${$("share").value} %`);
    paint();
  });
  for (const [id, other] of [["layer-first", "layer-last"], ["layer-last", "layer-first"]]) {
    $(id).addEventListener("input", () => {
      const isBeyond = id === "layer-first" ? Number($(id).value) > Number($(other).value) : Number($(id).value) < Number($(other).value);
      if (isBeyond) $(other).value = $(id).value;
      sayLayers();
      if (to) paint();
    });
  }
  $("keep").addEventListener("click", () => {
    if (last && to) studio.keep(last.settings, last.blob, "");
  });
  for (const id of ["film", "once"]) {
    $(id).addEventListener("click", () => {
      if (to) film($(id), [stop(from.settings), stop(to.settings)], { ...wanted(), share: 0.5 }, id === "film");
    });
  }
  $("loop").addEventListener("click", () => {
    const tile = studio.chosen();
    if (!tile) return;
    if (!isPlain(tile)) { tell(say("onlyWords")); return; }
    const first = BigInt(tile.settings.seed);
    const seeds = Array.from({ length: stopsOfLoop }, (_, index) => String((first + BigInt(index)) & largestSeed));
    film($("loop"), seeds.map((seed) => stop({ ...tile.settings, seed })), plain(tile.settings));
  });

  function sayLayers() {
    for (const id of ["layer-first", "layer-last"]) $(`${id}-out`).value = $(id).value;
  }

  return {
    /** A picture of the gallery was chosen: the other end, if one is looked for. */
    takes(tile) {
      if (!isChoosing) { if (from) close(); return false; }
      if (tile === from) return true;
      if (tile.film || (kind === "blend" && !isPlain(tile))) { tell(say("onlyWords")); return true; }
      isChoosing = false;
      hush();
      to = tile;
      $("way-from").src = from.url;
      $("way-to").src = to.url;
      $("way-from").alt = from.settings.prompt ?? from.settings.picture;
      $("way-to").alt = to.settings.prompt ?? to.settings.picture;
      $("share").value = "50";
      $("share").hidden = kind === "mix";
      $("layers").hidden = kind !== "mix";
      for (const id of ["film", "once"]) $(id).hidden = kind === "mix";
      sayLayers();
      $("way").hidden = false;
      $(kind === "mix" ? "layer-first" : "share").focus();
      paint();
      return true;
    },
    close,
  };
}

/** Settings without a way or styles of others. */
function plain(settings) {
  const kept = { ...settings };
  for (const key of ["mix_seed", "mix_layers", "to_prompt", "to_seed", "to_truncation", "share"]) delete kept[key];
  return kept;
}

const stop = ({ prompt, seed, truncation }) => ({ prompt, seed, truncation });
