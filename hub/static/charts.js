// One device's charts: this span in blue, the same hours of last week in grey, gaps where nothing came.
"use strict";

const place = document.getElementById("plots");
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const japanese = document.documentElement.lang === "ja";
const zone = (at) => uPlot.tzDate(new Date(at * 1000), "Asia/Tokyo");
const clock = new Intl.DateTimeFormat(japanese ? "ja-JP" : "en-GB", { timeZone: "Asia/Tokyo", month: "numeric", day: "numeric", hour: "numeric", minute: "2-digit", hourCycle: "h23" });
const plots = [];

function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < 4) { value /= 1000; unit++; }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

function axes(shown) {
  const common = { stroke: css("--ink-quiet"), grid: { stroke: css("--line-quiet"), width: 1 }, ticks: { stroke: css("--line-quiet") }, font: "13px sans-serif" };
  return [
    { ...common, space: 76, values: (_, splits, __, ___, step) => splits.map((at) => step >= 86400 ? clock.format(at * 1000).split(" ")[0] : clock.format(at * 1000).split(" ").pop()) },
    { ...common, size: 64, values: (_, splits) => splits.map((value) => value === null ? "" : shown(value)) },
  ];
}

function draw(title, data, series, shown, range, top) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  caption.textContent = title;
  const box = document.createElement("div");
  figure.append(caption, box);
  place.append(figure);
  const options = {
    width: Math.max(240, box.clientWidth || place.clientWidth), height: 190, tzDate: zone,
    cursor: { drag: { x: false, y: false } },
    scales: { x: { min: range[0], max: range[1] }, y: { range: (_, low, high) => [Math.min(0, low || 0), Math.max(top, (high || 0) * 1.1)] } },
    axes: axes(shown),
    series: [{ label: place.dataset.time, value: (_, at) => at === null ? "—" : clock.format(at * 1000) }, ...series.map((one) => ({ value: (_, v) => v === null || v === undefined ? "—" : shown(v), ...one }))],
  };
  const plot = new uPlot(options, data, box);
  const text = plot.root.querySelector("canvas");
  text.setAttribute("role", "img");
  text.setAttribute("aria-label", title);
  plots.push([plot, box]);
}

// A figure between two gaps makes no line: it is shown as a point. Few figures are all shown.
function alone(values, at, colour) {
  const few = values.length < 40;
  const lone = new Set(at.filter((_, i) => values[i] !== null && (few || ((values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null))));
  return { show: true, size: 5, stroke: colour, fill: colour, filter: (plot) => plot.data[0].flatMap((time, i) => lone.has(time) ? [i] : []) };
}

function lines(series) {
  const range = [series.from_s, series.to_s];
  for (const [key, top, scale] of [["cpu", 100, 10], ["memory", 100, 10], ["disk", 100, 10], ["temperature", 60, 10], ["waiting", 10, 1]]) {
    const now = series.health[key].map((v) => v === null ? null : v / scale);
    const before = series.last_week[key].map((v) => v === null ? null : v / scale);
    if (!now.some((v) => v !== null)) continue;
    const data = uPlot.join([[series.last_week.at_s, before], [series.health.at_s, now]]);
    draw(place.dataset[key], data, [
      { label: place.dataset.before, stroke: css("--chart-grey"), width: 2, points: alone(before, series.last_week.at_s, css("--chart-grey")) },
      { label: place.dataset.now, stroke: css("--chart-line"), width: 2, points: alone(now, series.health.at_s, css("--chart-line")) },
    ], (v) => String(Math.round(v * 10) / 10), range, top);
  }
}

function bars(series) {
  const range = [series.from_s, series.to_s];
  for (const one of series.usage) {
    const bar = uPlot.paths.bars({ size: [0.4, 40], align: 1 });
    const bar2 = uPlot.paths.bars({ size: [0.4, 40], align: -1 });
    const middle = one.at_s.map((at) => at + 1800);
    draw(`${place.dataset.usage}: ${one.interface}`, [middle, one.received, one.sent], [
      { label: place.dataset.received, stroke: css("--chart-line"), fill: css("--chart-line"), paths: bar2, points: { show: false } },
      { label: place.dataset.sent, stroke: css("--chart-second"), fill: css("--chart-second"), paths: bar, points: { show: false } },
    ], bytes, range, 1000);
  }
}

if (place) {
  fetch(place.dataset.series).then((answer) => answer.json()).then((series) => {
    lines(series);
    bars(series);
    place.dataset.drawn = "yes";
    new ResizeObserver(() => {
      for (const [plot, box] of plots) if (box.clientWidth && Math.abs(box.clientWidth - plot.width) > 2) plot.setSize({ width: box.clientWidth, height: 190 });
    }).observe(place);
  }).catch(() => {
    // The figures are below as a table as well.
    place.closest("section").querySelector("details").open = true;
  });
}
