// The view that paints: settings, the queue of this page's requests, the picture, the gallery.

import { startBlend } from "/blend.js";
import { closeNearest, startNearest } from "/nearest.js";
import { readRecord } from "/png.js";
import { dropSource, restoreSource, sourceSettings, useSource } from "/source.js";
import { isJapanese, say, tell } from "/words.js";

const $ = (id) => document.getElementById(id);
// Requests of one page take turns with those of other pages.
const mark = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16)).join("");
const largestSeed = (1n << 64n) - 1n;
const mostPictures = 500;
const together = 2;
const examples = isJapanese
  ? ["赤いハート", "笑う猫", "ピザ", "満月", "日本の城", "緑の本"]
  : ["red heart", "smiling cat", "pizza", "full moon", "Japanese castle", "green book"];

let model;
let painting = null;
const pictures = [];
let chosen = null;
let blend = null;
/** Settings that the form has no control for. */
const others = ["truncation_cutoff", "mix_seed", "mix_layers", "to_prompt", "to_seed", "to_truncation", "share"];

/** Wires the view up; a permalink in the address is painted at once. */
export function startCreate(about) {
  model = about;
  $("prompt").placeholder = say("placeholder");
  if (model.name === "emoji") addExamples();
  setEnlarging("smooth");
  for (const id of ["count", "truncation"]) {
    $(id).addEventListener("input", () => { $(`${id}-out`).value = $(id).value; });
  }
  $("form").addEventListener("submit", (event) => { event.preventDefault(); begin(); });
  $("prompt").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      $("form").requestSubmit();
    }
  });
  $("prompt").addEventListener("input", () => { kept = {}; });
  $("cancel").addEventListener("click", () => painting?.abort());
  $("dice").addEventListener("click", () => { $("seed").value = randomSeed(); });
  $("lock").addEventListener("click", () => setLock($("lock").getAttribute("aria-pressed") !== "true"));
  for (const radio of document.getElementsByName("enlarge")) {
    radio.addEventListener("change", () => setEnlarging(radio.value));
  }
  $("link").addEventListener("click", copyLink);
  $("again").addEventListener("click", () => {
    if (!chosen) return;
    restore(chosen.settings);
    setLock(true);
    $("prompt").focus();
    $("prompt").select();
  });
  $("more").addEventListener("click", () => {
    if (!chosen) return;
    restore(chosen.settings);
    setLock(false);
    begin();
  });
  $("gallery").addEventListener("keydown", moveInGallery);
  $("nearest").hidden = !model.training_pictures;
  startNearest(model, () => chosen, mark);
  blend = startBlend({
    layers: model.layers,
    chosen: () => chosen,
    paint: (settings, signal) => ask("/api/paint", settings, signal),
    walk: (order, signal) => ask("/api/walk", order, signal),
    show: (url, settings) => present(url, settings),
    keep: (settings, blob, film) => {
      kept = {};
      const [tile] = addBatch(settings, 1);
      tile.film = film;
      fill(tile, blob);
      choose(tile, true);
    },
  });
  takeFiles();
  // A phone shows the picture first.
  if (matchMedia("(max-width: 760px)").matches) $("settings").open = false;
  addEventListener("hashchange", openLink);
  $("seed").value = randomSeed();
  openLink();
}

function addExamples() {
  for (const example of examples) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.textContent = example;
    chip.addEventListener("click", () => {
      $("prompt").value = example;
      kept = {};
      begin();
    });
    $("examples").append(chip);
  }
}

// Settings

// Six digits are easily read and told.
const randomSeed = () => String(crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000);

function setLock(isLocked) { $("lock").setAttribute("aria-pressed", String(isLocked)); }

function setEnlarging(kind) { document.body.dataset.enlarge = kind; }

function setNumber(id, value) {
  $(id).value = value;
  $(`${id}-out`).value = $(id).value;
}

/** The settings of the form, as the server and the files know them. */
function settings() {
  return {
    ...(sourceSettings() ?? { prompt: $("prompt").value.trim() }),
    seed: $("seed").value.trim(),
    truncation: Number($("truncation").value),
    noise: document.querySelector("[name=noise]:checked").value,
  };
}

/** Puts settings into the form. */
function restore(record) {
  if (record.picture_id === undefined) {
    dropSource();
    $("prompt").value = record.prompt;
  } else {
    restoreSource(record);
  }
  $("seed").value = String(record.seed ?? 0);
  // A value between the slider's steps stays what it was.
  $("truncation").step = "any";
  setNumber("truncation", record.truncation ?? 1);
  const noise = document.querySelector(`[name=noise][value=${CSS.escape(record.noise ?? "const")}]`);
  if (noise) noise.checked = true;
  kept = {};
  for (const key of others) {
    if (record[key] !== undefined && record[key] !== null) kept[key] = record[key];
  }
}

/** Settings of a restored picture that the form has no control for; new words let go of them. */
let kept = {};

// Painting

/** Paints as many pictures as the form says, two at a time, each shown when it is ready. */
async function begin() {
  const first = settings();
  if (!first.prompt && !first.picture_id) { $("prompt").focus(); return; }
  closeNearest();
  if (painting) painting.abort();
  blend.close();
  if ($("lock").getAttribute("aria-pressed") !== "true" && first.seed === begin.lastSeed) {
    first.seed = randomSeed();
    $("seed").value = first.seed;
  }
  if (!/^\d{1,20}$/.test(first.seed) || BigInt(first.seed) > largestSeed) {
    tell(say("badSeed"));
    $("seed").focus();
    return;
  }
  begin.lastSeed = first.seed;
  begin.isCut = false;
  const count = Number($("count").value);
  const run = new AbortController();
  painting = run;
  setLink({ ...kept, ...first }, count);
  const tiles = addBatch(first, count);
  let done = 0;
  const progress = () => {
    $("progress").max = count;
    $("progress").value = done;
    $("paint").textContent = say("painting", Math.min(done + 1, count), count);
  };
  document.body.classList.add("painting");
  $("cancel").hidden = false;
  progress();
  const waiting = tiles.slice();
  const worker = async () => {
    for (let tile = waiting.shift(); tile; tile = waiting.shift()) {
      const blob = await ask("/api/paint", tile.settings, run.signal);
      done += 1;
      fill(tile, blob);
      if (tile === tiles[0]) choose(tile, false);
      progress();
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(together, count) }, worker));
  for (const tile of tiles) if (!tile.url) discard(tile);
  const failure = results.find((result) => result.status === "rejected")?.reason;
  if (failure && failure.name !== "AbortError") tell(failure.message);
  else if (run.signal.aborted) tell(say("cancelled"));
  else tell(say("painted", count, titleOf(first)) + (begin.isCut ? " " + say("cut") : ""));
  if (painting !== run) return;
  painting = null;
  document.body.classList.remove("painting");
  $("cancel").hidden = true;
  $("paint").textContent = say("paint");
  $("progress").value = 0;
}

/** One picture or animation; waits and asks again while the server is busy. */
async function ask(path, wanted, signal) {
  for (;;) {
    let answer;
    try {
      answer = await fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Nifty-Client": mark },
        body: JSON.stringify(wanted),
        signal,
      });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error(say("unreachable"));
    }
    if (answer.ok) {
      if (answer.headers.get("Nifty-Note")) begin.isCut = true;
      return answer.blob();
    }
    if (answer.status === 429 || answer.status === 503) {
      const seconds = Number(answer.headers.get("Retry-After")) || 2;
      tell(say("busy", seconds));
      await pause(seconds * 1000, signal);
      continue;
    }
    const body = await answer.json().catch(() => null);
    painting?.abort();
    throw new Error(body?.error?.message ?? `${answer.status}`);
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("cancelled", "AbortError"));
    }, { once: true });
  });
}

// Gallery

/** Empty tiles for pictures to come, newest batch first. */
function addBatch(first, count) {
  const batch = document.createElement("div");
  batch.className = "batch";
  const title = document.createElement("h2");
  title.textContent = first.to_prompt ? `${first.prompt} → ${first.to_prompt}` : titleOf(first);
  const row = document.createElement("div");
  row.className = "tiles";
  batch.append(title, row);
  $("gallery").prepend(batch);
  const start = BigInt(first.seed);
  return Array.from({ length: count }, (_, index) => {
    const own = { ...kept, ...first, seed: String((start + BigInt(index)) & largestSeed) };
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tile waiting";
    button.disabled = true;
    row.append(button);
    const tile = { settings: own, button, url: null, film: "" };
    button.addEventListener("click", () => { if (!blend.takes(tile)) choose(tile, true); });
    return tile;
  });
}

function fill(tile, blob) {
  tile.url = URL.createObjectURL(blob);
  const image = document.createElement("img");
  image.src = tile.url;
  image.width = image.height = model.resolution;
  image.alt = say("pictureOf", titleOf(tile.settings), tile.settings.seed);
  tile.button.replaceChildren(image);
  tile.button.classList.remove("waiting");
  tile.button.disabled = false;
  tile.button.tabIndex = -1;
  pictures.push(tile);
  if (pictures.length > mostPictures) discard(pictures[0]);
}

function discard(tile) {
  const batch = tile.button.closest(".batch");
  tile.button.remove();
  if (batch && !batch.querySelector(".tile")) batch.remove();
  if (tile.url) URL.revokeObjectURL(tile.url);
  const index = pictures.indexOf(tile);
  if (index >= 0) pictures.splice(index, 1);
  if (chosen === tile && pictures.length) choose(pictures[pictures.length - 1], false);
}

/** Shows a picture on the easel. */
function choose(tile, follows) {
  closeNearest();
  chosen?.button.removeAttribute("aria-current");
  if (chosen) chosen.button.tabIndex = -1;
  chosen = tile;
  tile.button.setAttribute("aria-current", "true");
  tile.button.tabIndex = 0;
  present(tile.url, tile.settings, tile.film);
  if (follows && !tile.film) setLink(tile.settings, 1);
}

/** Puts a picture with its settings on the easel. */
function present(url, settings, film = "") {
  const { seed, truncation, noise } = settings;
  const prompt = titleOf(settings);
  $("picture").src = url;
  $("picture").alt = say("pictureOf", prompt, seed);
  $("picture").hidden = false;
  $("invitation").hidden = true;
  $("stage").classList.remove("empty");
  $("caption").hidden = false;
  $("caption-prompt").textContent = prompt;
  const kind = { const: "noiseConst", random: "noiseRandom", none: "noiseNone" }[noise];
  $("caption-settings").textContent =
    say("settingsLine", seed, Math.round(truncation * 1000) / 1000, `${say("noise")}: ${say(kind)}`);
  if (settings.mix_seed !== undefined) {
    const words = say("mixLine", settings.mix_layers, settings.mix_seed);
    $("caption-settings").textContent = `${words} · ${$("caption-settings").textContent}`;
  }
  // An animation carries no settings, and is no end of another way.
  for (const id of ["link", "again", "more", "blend", "mix", "loop"]) $(id).hidden = film !== "";
  // Nor are there words of a picture that was painted after another.
  if (settings.picture_id !== undefined) for (const id of ["link", "again", "blend", "loop"]) $(id).hidden = true;
  $("nearest").hidden = film !== "" || !model.training_pictures;
  $("save").textContent = say(film ? "saveFilm" : "save");
  if (film) {
    if (settings.to_prompt !== undefined) $("caption-prompt").textContent = `${prompt} → ${settings.to_prompt}`;
    $("caption-settings").textContent = `${film} · ${$("caption-settings").textContent}`;
  } else if (settings.to_prompt !== undefined) {
    const words = say("blendLine", Math.round(settings.share * 100), settings.to_prompt);
    $("caption-settings").textContent = `${words} · ${$("caption-settings").textContent}`;
  }
  $("save").href = url;
  $("save").download = `${slug(prompt)}-${seed}.${film ? "webp" : "png"}`;
}

/** What a picture was painted from, in a few words. */
function titleOf({ prompt, picture }) { return prompt ?? say("after", picture); }

const slug = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").slice(0, 40) || "picture";

function moveInGallery(event) {
  const buttons = [...$("gallery").querySelectorAll(".tile:not(:disabled)")];
  const index = buttons.indexOf(document.activeElement);
  if (index < 0) return;
  const top = (button) => button.getBoundingClientRect().top;
  const left = (button) => button.getBoundingClientRect().left;
  const beside = (way) => {
    const here = buttons[index];
    const rows = buttons.filter((button) => way * (top(button) - top(here)) > 4);
    if (!rows.length) return here;
    const nearest = rows.reduce((a, b) => (way * (top(a) - top(b)) <= 0 ? a : b));
    return rows.filter((button) => Math.abs(top(button) - top(nearest)) < 4)
      .reduce((a, b) => (Math.abs(left(a) - left(here)) <= Math.abs(left(b) - left(here)) ? a : b));
  };
  const target = {
    ArrowRight: () => buttons[Math.min(index + 1, buttons.length - 1)],
    ArrowLeft: () => buttons[Math.max(index - 1, 0)],
    ArrowDown: () => beside(1),
    ArrowUp: () => beside(-1),
    Home: () => buttons[0],
    End: () => buttons[buttons.length - 1],
  }[event.key]?.();
  if (!target) return;
  event.preventDefault();
  target.focus();
  target.click();
}

// Permalinks

function setLink(of, count) {
  // The picture that it was painted after is not in the link.
  if (of.picture_id !== undefined) { history.replaceState(null, "", location.pathname); return; }
  const words = new URLSearchParams({
    prompt: of.prompt, seed: of.seed, truncation: String(of.truncation), noise: of.noise,
    count: String(count), model: model.network_sha256.slice(0, 12),
  });
  for (const key of others) if (of[key] !== undefined) words.set(key, String(of[key]));
  history.replaceState(null, "", `#${words}`);
}

/** Paints what the address says. */
function openLink() {
  const words = new URLSearchParams(location.hash.slice(1));
  if (!words.get("prompt")) return;
  const truncation = Number(words.get("truncation") ?? 1);
  restore({
    prompt: words.get("prompt"),
    seed: words.get("seed") ?? "0",
    truncation: Number.isFinite(truncation) ? truncation : 1,
    noise: words.get("noise") ?? "const",
    truncation_cutoff: words.has("truncation_cutoff") ? Number(words.get("truncation_cutoff")) : null,
    mix_seed: words.get("mix_seed"),
    mix_layers: words.get("mix_layers"),
    to_prompt: words.get("to_prompt"),
    to_seed: words.get("to_seed"),
    to_truncation: words.has("to_truncation") ? Number(words.get("to_truncation")) : null,
    share: words.has("share") ? Number(words.get("share")) : null,
  });
  setNumber("count", words.get("count") ?? 1);
  setLock(true);
  const painter = words.get("model");
  if (painter && !model.network_sha256.startsWith(painter)) tell(say("otherModel"));
  begin();
}

async function copyLink() {
  if (chosen) setLink(chosen.settings, 1);
  try {
    await navigator.clipboard.writeText(location.href);
    tell(say("linkCopied"));
  } catch {
    // Browsers refuse it outside of secure pages.
    tell(say("linkShown"));
  }
}

// Pictures dropped in

function takeFiles() {
  const drop = $("drop");
  addEventListener("dragenter", (event) => {
    if (event.dataTransfer?.types.includes("Files")) drop.hidden = false;
  });
  drop.addEventListener("dragleave", () => { drop.hidden = true; });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    drop.hidden = true;
    if (event.dataTransfer.files.length) openFile(event.dataTransfer.files[0]);
  });
  $("file").addEventListener("change", () => {
    if ($("file").files.length) openFile($("file").files[0]);
    $("file").value = "";
  });
}

async function openFile(file) {
  if (file.size > 16 << 20) { tell(say("tooLarge")); return; }
  let bytes;
  // A folder, or a file that has gone.
  try { bytes = await file.arrayBuffer(); } catch { tell(say("unreadable", file.name)); return; }
  const record = readRecord(bytes);
  if (typeof record?.prompt !== "string") {
    // A picture of somebody else's, or one that was not painted from words.
    try { await useSource(file); } catch (error) { tell(error.message); }
    return;
  }
  restore(record);
  setNumber("count", 1);
  setLock(true);
  await begin();
  tell(record.network_sha256 === model.network_sha256
    ? say("restored", record.prompt, record.seed) : say("otherModel"));
}
