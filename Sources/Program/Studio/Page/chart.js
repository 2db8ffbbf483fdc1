// Curves of several runs on a canvas: lines, axes, marks, and what is under the pointer.

const light = ["#4f3fd0", "#c2410c", "#0f766e", "#be185d", "#1d4ed8", "#4d7c0f", "#7e22ce", "#a16207"];
const dark = ["#aea2ff", "#ffab7a", "#5eead4", "#f9a8d4", "#93c5fd", "#bef264", "#d8b4fe", "#fde047"];
const darkness = matchMedia("(prefers-color-scheme: dark)");

/** The colour of a run by its index among the chosen ones. */
export function colour(index) {
  const list = darkness.matches ? dark : light;
  return list[index % list.length];
}

export { darkness };

/** A number for people: four significant digits. */
export function figure(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** One statistic's chart. */
export class Chart {
  constructor(title, onClose) {
    this.element = document.createElement("div");
    this.element.className = "chart";
    const head = document.createElement("h3");
    head.append(Object.assign(document.createElement("span"), { textContent: title }));
    const close = Object.assign(document.createElement("button"), { type: "button", textContent: "×" });
    close.setAttribute("aria-label", `× ${title}`);
    close.addEventListener("click", onClose);
    head.append(close);
    this.title = title;
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.readout = Object.assign(document.createElement("p"), { className: "readout" });
    this.element.append(head, this.canvas, this.readout);
    this.series = [];
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => { this.under = null; this.draw(); });
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.canvas);
  }

  /** Series: { name, color, points, smooth, marks }; points are [kimg, hours, value]. */
  show(series, { axis, log, empty }) {
    Object.assign(this, { series, axis, log, empty });
    const last = series.filter((one) => one.points.length)
      .map((one) => `${one.name}: ${figure(one.points[one.points.length - 1][2])}`);
    this.canvas.setAttribute("aria-label", [this.title, ...last].join(". "));
    this.draw();
  }

  scale() {
    const across = this.axis === "hours" ? 1 : 0;
    const values = [], positions = [];
    for (const one of this.series) {
      for (const point of one.points) {
        if (point[across] === null || (this.log && point[2] <= 0)) continue;
        positions.push(point[across]);
        values.push(point[2]);
      }
    }
    if (!values.length) return null;
    const extent = (list) => list.reduce(([a, b], v) => [Math.min(a, v), Math.max(b, v)], [Infinity, -Infinity]);
    let [low, high] = extent(values);
    const [first, last] = extent(positions);
    if (this.log) [low, high] = [Math.log10(low), Math.log10(high)];
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    return { across, first, last: last > first ? last : first + 1, low: low - room, high: high + room };
  }

  draw() {
    const ratio = devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const [quiet, line] = [style.getPropertyValue("--quiet"), style.getPropertyValue("--line")];
    pen.font = `12px ${style.getPropertyValue("--sans")}`;
    const scale = this.scale();
    this.layout = null;
    if (!scale) {
      pen.fillStyle = quiet;
      pen.textAlign = "center";
      pen.fillText(this.empty ?? "", width / 2, height / 2);
      this.readout.textContent = "";
      return;
    }
    const box = { left: 58, right: width - 10, top: 8, bottom: height - 24 };
    const x = (value) => box.left + (value - scale.first) / (scale.last - scale.first) * (box.right - box.left);
    const y = (value) => {
      const height = this.log ? Math.log10(value) : value;
      return box.bottom - (height - scale.low) / (scale.high - scale.low) * (box.bottom - box.top);
    };
    this.layout = { box, x, y, scale };
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const tick of ticks(scale.low, scale.high, 5)) {
      const value = this.log ? 10 ** tick : tick;
      const at = Math.round(y(value)) + 0.5;
      pen.strokeStyle = line;
      pen.beginPath(); pen.moveTo(box.left, at); pen.lineTo(box.right, at); pen.stroke();
      pen.fillStyle = quiet;
      pen.fillText(figure(value), box.left - 8, at);
    }
    pen.textBaseline = "alphabetic";
    for (const tick of ticks(scale.first, scale.last, 5)) {
      const at = x(tick);
      pen.textAlign = at > box.right - 20 ? "right" : "center";
      pen.fillText(figure(tick), at, height - 6);
    }
    pen.save();
    pen.beginPath();
    pen.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    pen.clip();
    for (const one of this.series) {
      pen.strokeStyle = one.color;
      for (const mark of scale.across === 0 ? one.marks ?? [] : []) {
        pen.globalAlpha = 0.7;
        pen.setLineDash([3, 4]);
        const at = x(mark.kimg);
        pen.beginPath(); pen.moveTo(at, box.top); pen.lineTo(at, box.bottom); pen.stroke();
        pen.setLineDash([]);
      }
      pen.globalAlpha = one.smooth ? 0.28 : 1;
      pen.lineWidth = one.smooth ? 1 : 1.8;
      this.path(pen, one.points, x, y, scale);
      if (one.smooth) {
        pen.globalAlpha = 1;
        pen.lineWidth = 2;
        this.path(pen, one.smooth, x, y, scale);
      }
      pen.globalAlpha = 1;
      const shown = one.smooth ?? one.points;
      if (shown.length === 1) {
        pen.fillStyle = one.color;
        pen.beginPath(); pen.arc(x(shown[0][scale.across]), y(shown[0][2]), 3, 0, 7); pen.fill();
      }
    }
    if (this.under !== null && this.under !== undefined) this.drawUnder(pen, quiet);
    pen.restore();
    if (this.under === null || this.under === undefined) this.readout.textContent = this.lastValues();
  }

  path(pen, points, x, y, scale) {
    pen.beginPath();
    let begun = false;
    for (const point of points) {
      if (point[scale.across] === null || (this.log && point[2] <= 0)) { begun = false; continue; }
      if (begun) pen.lineTo(x(point[scale.across]), y(point[2]));
      else pen.moveTo(x(point[scale.across]), y(point[2]));
      begun = true;
    }
    pen.stroke();
  }

  drawUnder(pen, quiet) {
    const { box, x, y, scale } = this.layout;
    pen.strokeStyle = quiet;
    pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(this.under, box.top); pen.lineTo(this.under, box.bottom); pen.stroke();
    const at = scale.first + (this.under - box.left) / (box.right - box.left) * (scale.last - scale.first);
    const parts = [`${figure(at)} ${this.axis}`];
    for (const one of this.series) {
      const point = nearest(one.smooth ?? one.points, at, scale.across);
      if (!point) continue;
      pen.fillStyle = one.color;
      pen.beginPath(); pen.arc(x(point[scale.across]), y(point[2]), 4, 0, 7); pen.fill();
      parts.push(`${one.name}: ${figure(point[2])}`);
    }
    this.readout.textContent = parts.join(" · ");
  }

  lastValues() {
    return this.series.filter((one) => one.points.length).map((one) => {
      const points = one.smooth ?? one.points;
      return `${one.name}: ${figure(points[points.length - 1][2])}`;
    }).join(" · ");
  }

  point(event) {
    if (!this.layout) return;
    const at = event.clientX - this.canvas.getBoundingClientRect().left;
    this.under = Math.min(Math.max(at, this.layout.box.left), this.layout.box.right);
    this.draw();
  }

  remove() {
    this.watcher.disconnect();
    this.element.remove();
  }
}

/** Round numbers between two, about so many. */
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough) ?? 10 * power;
  const list = [];
  for (let tick = Math.ceil(low / step); tick * step <= high; tick += 1) list.push(Number((tick * step).toPrecision(12)));
  return list;
}

function nearest(points, at, across) {
  let best = null;
  for (const point of points) {
    if (point[across] === null) continue;
    if (!best || Math.abs(point[across] - at) < Math.abs(best[across] - at)) best = point;
  }
  return best;
}
