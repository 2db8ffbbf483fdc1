// A picture to paint after: it is sent once, and takes the place of the words.

import { say, tell } from "/words.js";

const $ = (id) => document.getElementById(id);

let source = null;

/** The settings that stand for the picture; null while words are used. */
export function sourceSettings() {
  return source && {
    picture_id: source.id, picture: source.name, image_noise: Number($("image-noise").value),
  };
}

/** Sends a file and paints after it from now on. */
export async function useSource(file) {
  tell(say("sending", file.name));
  let answer;
  try {
    answer = await fetch("/api/pictures", {
      method: "POST",
      headers: { "Content-Type": file.type.startsWith("image/") ? file.type : "image/png" },
      body: file,
    });
  } catch {
    throw new Error(say("unreachable"));
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(body?.error?.message ?? `${answer.status}`);
  show({ id: body.picture_id, name: file.name, url: URL.createObjectURL(file) });
  tell(say("sent", file.name));
}

/** Paints after the picture of earlier settings again. */
export function restoreSource(settings) {
  show({ id: settings.picture_id, name: settings.picture, url: urls.get(settings.picture_id) ?? "" });
  $("image-noise").value = String(settings.image_noise);
  $("image-noise-out").value = $("image-noise").value;
}

/** What the pictures of this visit look like, by their names. */
const urls = new Map();

function show(one) {
  source = one;
  urls.set(one.id, one.url);
  $("source-picture").src = one.url;
  $("source-picture").alt = one.name;
  $("source-name").textContent = one.name;
  $("source").hidden = false;
  $("words-field").hidden = true;
  $("examples").hidden = true;
  // A field that nobody sees must not ask to be filled.
  $("prompt").disabled = true;
}

/** Words are used again. */
export function dropSource() {
  source = null;
  $("source").hidden = true;
  $("words-field").hidden = false;
  $("examples").hidden = false;
  $("prompt").disabled = false;
}

$("source-away").addEventListener("click", () => {
  dropSource();
  $("prompt").focus();
});
$("image-noise").addEventListener("input", () => {
  $("image-noise-out").value = $("image-noise").value;
});
