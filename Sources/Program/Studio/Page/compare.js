// Two snapshots in the same place, and a wipe between them.

import { say } from "/words.js";

const $ = (id) => document.getElementById(id);

/** What can be compared: { run, kimg } in the order of the slider. */
let all = [];

/** Offers the sample grids of the chosen runs. */
export function offerSnapshots(list) {
  all = list;
  $("compare").hidden = all.length < 2;
  const names = all.map(({ run, kimg }) => `${run} · ${kimg} kimg`);
  const known = JSON.stringify(names);
  if ($("compare").dataset.names === known) return;
  $("compare").dataset.names = known;
  for (const [id, usual] of [["compare-left", 0], ["compare-right", all.length - 1]]) {
    // What nobody chose follows the runs: the first snapshot and the last.
    const index = $(id).dataset.isChosen ? names.indexOf($(id).selectedOptions[0]?.textContent) : -1;
    $(id).replaceChildren(...names.map((name, value) => (
      Object.assign(document.createElement("option"), { value: String(value), textContent: name })
    )));
    $(id).value = String(index >= 0 ? index : Math.max(usual, 0));
  }
  draw();
}

function draw() {
  // Nothing is loaded that is not shown.
  if (!$("compare").open) return;
  for (const side of ["left", "right"]) {
    const one = all[Number($(`compare-${side}`).value)];
    if (!one) continue;
    const address = `/api/grid?${new URLSearchParams({ run: one.run, kimg: String(one.kimg) })}`;
    const image = $(`wipe-${side}`);
    if (image.getAttribute("src") !== address) image.src = address;
    image.alt = `${one.run}, ${one.kimg} kimg`;
  }
  wipe();
}

function wipe() {
  const share = Number($("wipe-share").value);
  $("wipe-left").style.clipPath = `inset(0 ${100 - share}% 0 0)`;
  $("wipe-line").style.left = `${share}%`;
  const names = ["left", "right"].map((side) => $(`compare-${side}`).selectedOptions[0]?.textContent ?? "");
  $("wipe-share").setAttribute("aria-valuetext", `${share} % ${say("leftPicture")}: ${names.join(" | ")}`);
}

$("compare").addEventListener("toggle", draw);
for (const side of ["left", "right"]) {
  $(`compare-${side}`).addEventListener("change", (event) => {
    event.target.dataset.isChosen = "true";
    draw();
  });
}
$("wipe-share").addEventListener("input", wipe);
$("wipe").addEventListener("pointermove", (event) => {
  if (event.pointerType === "mouse" && event.buttons !== 1) return;
  const box = $("wipe").getBoundingClientRect();
  $("wipe-share").value = String(Math.round((event.clientX - box.left) / box.width * 100));
  wipe();
});
$("wipe").addEventListener("dragstart", (event) => event.preventDefault());
