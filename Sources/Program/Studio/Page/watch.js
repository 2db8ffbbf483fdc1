// The view of runs: table, curves, grids that move together, options that differ.

import { Chart, colour, darkness } from "/chart.js";
import { offerSnapshots } from "/compare.js";
import { offerData } from "/data.js";
import { say, tell } from "/words.js";
import { drawWorks } from "/works.js";

const $ = (id) => document.getElementById(id);
const mostRuns = 8;

let source = null;
let isWatching = false;
let rows = [];
let isFirst = true;
const chosen = new Set();
const details = new Map();
const charts = new Map();
/** Charts that came by themselves. */
const offered = new Set();
const mostOffered = 4;
let steps = [];
let atEnd = true;

/** Listens to the runs' progress while the page is seen. */
export function startWatch() {
  isWatching = true;
  listen();
}

/** Stops listening. */
export function stopWatch() {
  isWatching = false;
  hush();
}

// A browser has six connections to a server for all its tabs, and each stream keeps one: pages that nobody sees
// would leave none for the requests of the one in front.
document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
addEventListener("pagehide", hush);
addEventListener("pageshow", listen);

function listen() {
  if (source || !isWatching || document.hidden) return;
  source = new EventSource("/api/events");
  source.addEventListener("runs", (event) => update(JSON.parse(event.data)));
  source.addEventListener("trouble", (event) => trouble(JSON.parse(event.data).trouble));
  source.onerror = () => { if (source) tell(say("lost")); };
}

function hush() {
  source?.close();
  source = null;
}

$("smoothing").addEventListener("input", () => {
  $("smoothing-out").value = $("smoothing").value;
  soon(drawCurves);
});
$("log").addEventListener("change", drawCurves);
for (const radio of document.getElementsByName("axis")) radio.addEventListener("change", drawCurves);
darkness.addEventListener("change", () => { drawTable(); drawCurves(); drawGrids(); });
$("statistic").addEventListener("change", () => {
  if ($("statistic").value) addChart($("statistic").value);
  $("statistic").value = "";
  drawCurves();
});
$("step").addEventListener("input", () => {
  atEnd = Number($("step").value) === steps.length - 1;
  drawGrids();
});

let timer;
function soon(action) {
  clearTimeout(timer);
  timer = setTimeout(action, 120);
}

function trouble(text) {
  $("runs-trouble").textContent = text ?? "";
  $("runs-trouble").hidden = !text;
}

async function update(news) {
  trouble(news.runs.length || news.works.length ? null : say("noRuns", news.folder));
  drawWorks(news.works, duration);
  const before = new Map(rows.map((row) => [row.name, JSON.stringify(row)]));
  rows = news.runs;
  const names = new Set(rows.map((row) => row.name));
  for (const name of [...chosen]) if (!names.has(name)) forget(name);
  if (isFirst && rows.length) {
    isFirst = false;
    const first = rows.find((row) => row.state === "running") ?? rows.find((row) => row.state !== "damaged");
    if (first) chosen.add(first.name);
  }
  drawTable();
  const changed = rows.filter((row) => chosen.has(row.name) && before.get(row.name) !== JSON.stringify(row));
  await Promise.all(changed.map((row) => loadDetail(row.name)));
  if (changed.length || charts.size === 0) refresh();
}

function forget(name) {
  chosen.delete(name);
  details.delete(name);
}

async function ask(path, query) {
  const answer = await fetch(`${path}?${new URLSearchParams(query)}`);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error.message);
  return body;
}

async function loadDetail(name) {
  try {
    details.set(name, await ask("/api/run", { run: name }));
  } catch (error) {
    details.delete(name);
    tell(error.message);
  }
}

// Table

const duration = (seconds) => {
  if (seconds === null) return "–";
  const whole = Math.round(seconds);
  if (whole >= 3600) return `${Math.floor(whole / 3600)}h ${String(Math.floor(whole / 60) % 60).padStart(2, "0")}m`;
  return whole >= 60 ? `${Math.floor(whole / 60)}m ${String(whole % 60).padStart(2, "0")}s` : `${whole}s`;
};
const short = (value) => String(Number(value.toPrecision(4)));

function cell(...content) {
  const data = document.createElement("td");
  data.append(...content);
  return data;
}

function drawTable() {
  const focused = document.activeElement?.dataset?.run;
  $("runs").tBodies[0].replaceChildren(...rows.map((row, index) => {
    const line = document.createElement("tr");
    const box = Object.assign(document.createElement("input"), { type: "checkbox", id: `run-${index}`, checked: chosen.has(row.name) });
    box.dataset.run = row.name;
    box.addEventListener("change", () => choose(row.name, box));
    const label = Object.assign(document.createElement("label"), { htmlFor: box.id, title: row.name });
    if (chosen.has(row.name)) label.append(swatch(row.name));
    label.append(row.name);
    const name = cell(label);
    name.className = "name";
    const pill = Object.assign(document.createElement("span"), { className: `pill ${row.state}`, textContent: say(row.state) });
    const state = cell(pill);
    if (row.trouble) pill.title = row.trouble;
    if (row.state === "running" && row.converged) {
      state.append(" ", Object.assign(document.createElement("span"), { className: "pill converged", textContent: say("converged") }));
    }
    for (const [count, one, many] of [[row.rollbacks, "rollback", "rollbacks"], [row.warnings, "warning", "warnings"]]) {
      if (!count) continue;
      state.append(" ", Object.assign(document.createElement("span"), { className: "warning", textContent: count === 1 ? say(one) : say(many, count) }));
    }
    const progress = cell();
    if (row.total_kimg) {
      const bar = Object.assign(document.createElement("progress"), { max: row.total_kimg, value: Math.min(row.kimg, row.total_kimg) });
      bar.setAttribute("aria-label", row.name);
      progress.append(bar);
    }
    progress.append(`${short(row.kimg)}${row.total_kimg ? ` / ${short(row.total_kimg)}` : ""} kimg`);
    line.append(
      cell(box), name, state, progress,
      cell(row.best ? `${row.best.metric} ${short(row.best.value)}` : "–"), cell(duration(row.seconds_left)),
    );
    return line;
  }));
  if (focused) document.querySelector(`[data-run="${CSS.escape(focused)}"]`)?.focus();
}

function swatch(name) {
  const dot = Object.assign(document.createElement("span"), { className: "swatch" });
  dot.style.background = colour([...chosen].indexOf(name));
  return dot;
}

async function choose(name, box) {
  if (!box.checked) {
    forget(name);
  } else if (chosen.size >= mostRuns) {
    box.checked = false;
    return;
  } else {
    chosen.add(name);
    await loadDetail(name);
  }
  drawTable();
  refresh();
}

function refresh() {
  drawStatistics();
  drawCurves();
  drawSteps();
  offerSnapshots([...chosen].flatMap((run) => (details.get(run)?.grids ?? []).map((kimg) => ({ run, kimg }))));
  drawDifferences();
  offerData([...chosen]);
  drawLogs();
}

// Curves

/** "00002-theme-auto-…" is run 2 where no other chosen one has that number. */
function brief(name) {
  const number = /^(?:.*\/)?(\d{5})-/.exec(name)?.[1];
  const same = [...chosen].filter((other) => new RegExp(`(^|/)${number}-`).test(other));
  return number && same.length === 1 ? number : name;
}

function drawStatistics() {
  const names = [...new Set([...chosen].flatMap((name) => details.get(name)?.statistics ?? []))];
  const select = $("statistic");
  if (select.dataset.names !== JSON.stringify(names)) {
    select.dataset.names = JSON.stringify(names);
    const blank = Object.assign(document.createElement("option"), { value: "", textContent: "＋" });
    select.replaceChildren(blank, ...names.map((name) => Object.assign(document.createElement("option"), { value: name, textContent: name })));
  }
  // A metric's first score and the loss of a network that warmed up come late: each chart comes once by itself.
  const usual = names.filter((name) => name.startsWith("Metrics/")).concat(["Loss/G/loss", "Loss/D/loss"].filter((name) => names.includes(name)));
  if (charts.size === 0) offered.clear();
  for (const name of usual.length ? usual : names.slice(0, 2)) {
    if (offered.size >= mostOffered || offered.has(name)) continue;
    offered.add(name);
    addChart(name);
  }
}

function addChart(name) {
  if (charts.has(name)) return;
  const chart = new Chart(name, () => {
    chart.remove();
    charts.delete(name);
  });
  charts.set(name, chart);
  $("charts").append(chart.element);
}

let drawing = 0;

async function drawCurves() {
  const turn = ++drawing;
  const axis = document.querySelector("[name=axis]:checked").value;
  const smooth = $("smoothing").value;
  const names = [...chosen];
  await Promise.all([...charts].map(async ([statistic, chart]) => {
    const width = Math.max(Math.round(chart.canvas.clientWidth) || 600, 200);
    const series = await Promise.all(names.map(async (name, index) => {
      const known = details.get(name);
      if (!known?.statistics.includes(statistic)) return null;
      try {
        const curve = await ask("/api/curve", { run: name, statistic, smooth, points: String(width * 2) });
        return { name: brief(name), color: colour(index), points: curve.points, smooth: curve.smooth, marks: known.marks };
      } catch {
        // The table says what is wrong with the run.
        return null;
      }
    }));
    if (turn === drawing) {
      chart.show(series.filter(Boolean), { axis, log: $("log").checked, empty: say("noData") });
    }
  }));
}

// Grids

function drawSteps() {
  const all = [...chosen].flatMap((name) => details.get(name)?.grids ?? []);
  const old = steps[Number($("step").value)];
  steps = [...new Set(all)].sort((a, b) => a - b);
  $("step").max = String(Math.max(steps.length - 1, 0));
  $("step").disabled = steps.length < 2;
  const index = atEnd ? steps.length - 1 : steps.findIndex((step) => step >= old);
  $("step").value = String(Math.max(index, 0));
  drawGrids();
}

function drawGrids() {
  const step = steps[Number($("step").value)];
  $("step-out").value = step === undefined ? "" : `${step} kimg`;
  $("step").setAttribute("aria-valuetext", $("step-out").value);
  if (step === undefined) {
    $("grids").replaceChildren(Object.assign(document.createElement("p"), { className: "blank", textContent: say("noSamples") }));
    return;
  }
  const figures = [...$("grids").querySelectorAll("figure")];
  const shown = [];
  for (const name of chosen) {
    const grids = details.get(name)?.grids ?? [];
    // The last grid up to the slider's step: runs need not be written at the same ones.
    const kimg = grids.filter((grid) => grid <= step).at(-1);
    if (kimg === undefined) continue;
    const figure = figures.find((one) => one.dataset.run === name) ?? emptyGrid(name);
    const image = figure.querySelector("img");
    const address = `/api/grid?${new URLSearchParams({ run: name, kimg: String(kimg) })}`;
    if (image.getAttribute("src") !== address) image.src = address;
    image.alt = `${name}, ${kimg} kimg`;
    figure.querySelector("figcaption").replaceChildren(swatch(name), `${name} · ${kimg} kimg`);
    shown.push(figure);
  }
  $("grids").replaceChildren(...shown);
}

function emptyGrid(name) {
  const figure = document.createElement("figure");
  figure.dataset.run = name;
  figure.append(document.createElement("img"), document.createElement("figcaption"));
  return figure;
}

// Options and logs

function drawDifferences() {
  const names = [...chosen].filter((name) => details.has(name));
  const table = $("differences").querySelector("table");
  const keys = [...new Set(names.flatMap((name) => Object.keys(details.get(name).options)))];
  const value = (name, key) => JSON.stringify(details.get(name).options[key] ?? null);
  const differing = keys.filter((key) => new Set(names.map((name) => value(name, key))).size > 1 && key !== "run_dir");
  const head = document.createElement("tr");
  for (const text of [say("option"), ...names]) {
    head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: text }));
  }
  table.tHead.replaceChildren(head);
  if (!differing.length) {
    const row = document.createElement("tr");
    row.append(Object.assign(cell(say("sameOptions")), { colSpan: names.length + 1, className: "blank" }));
    table.tBodies[0].replaceChildren(row);
    return;
  }
  table.tBodies[0].replaceChildren(...differing.map((key) => {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: key }), ...names.map((name) => cell(value(name, key))));
    return row;
  }));
}

function drawLogs() {
  $("logs").replaceChildren(...[...chosen].filter((name) => details.has(name)).flatMap((name) => [
    Object.assign(document.createElement("h3"), { textContent: name }),
    Object.assign(document.createElement("pre"), { textContent: details.get(name).log.join("\n"), tabIndex: 0 }),
  ]));
}
