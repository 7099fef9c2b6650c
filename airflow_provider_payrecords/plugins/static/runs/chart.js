// A run over time: confirmed; rejected, open and throttled; and the rate. Every chart has its numbers as a table too.

import { address, formatCount, html } from "../ui.js";
import uPlot from "../vendor/uPlot.esm.js";
import { formatSeconds, useMedia } from "./words.js";

const { useEffect, useMemo, useRef, useState } = globalThis.React;
const { Box, Button, HStack, Stack, Table, Text } = globalThis.ChakraUI;

const HEIGHT = 150;
/** Steps between times on an axis, in seconds. */
const SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400];
/** Steps between counts: there is no half payment. */
const COUNTS = [...Array(10).keys()].flatMap((power) => [1, 2, 5].map((digit) => digit * 10 ** power));
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** The lines of each chart: name of a column, words, colour of Airflow's theme, dashes where colour is not enough. */
const CHARTS = [
  { title: "Confirmed payments", lines: [{ name: "confirmed", label: "confirmed", color: "green.fg" }] },
  {
    title: "Rejected, open and throttled",
    lines: [
      { name: "rejected", label: "rejected", color: "red.fg" },
      { name: "open", label: "unknown, review or not sent", color: "purple.fg", dash: [6, 4] },
      { name: "throttled", label: "throttled (429)", color: "orange.fg", dash: [2, 3] },
    ],
  },
  {
    title: "Requests per second",
    lines: [
      { name: "measured", label: "sent", color: "blue.fg" },
      { name: "rate", label: "allowed", color: "fg.muted", dash: [6, 4] },
    ],
  },
];

const COLUMNS = ["confirmed", "rejected", "open", "throttled", "requests", "measured", "rate"];

/** Return the progress of a run with its beginning, what is open added up, and the requests of each second between. */
export function seriesOf(progress, run) {
  const begin = new Date(run.started_at).getTime() / 1000;
  const column = (name, first = 0) => [first, ...(progress[name] ?? progress.at.map(() => 0))];
  const at = [begin, ...progress.at];
  const requests = column("requests");
  const open = ["unknown", "review", "held", "planned"].map((name) => column(name));
  return {
    at,
    confirmed: column("confirmed"),
    rejected: column("rejected"),
    open: at.map((_, index) => open.reduce((sum, one) => sum + one[index], 0)),
    throttled: column("throttled"),
    requests,
    rate: column("rate", progress.rate[0] ?? 0),
    measured: at.map((now, index) => {
      const seconds = index ? now - at[index - 1] : 0;
      return seconds > 0 ? (requests[index] - requests[index - 1]) / seconds : 0;
    }),
  };
}

/** Return what the charts show, in a sentence. */
export function sayInWords(series) {
  const last = series.at.length - 1;
  const seconds = series.at[last] - series.at[0];
  const fastest = Math.max(...series.measured);
  return (
    `In ${formatSeconds(seconds)}: ${formatCount(series.confirmed[last])} confirmed, ` +
    `${formatCount(series.rejected[last])} rejected, ${formatCount(series.open[last])} unknown, in review or not sent; ` +
    `${formatCount(series.requests[last])} requests, ${formatCount(series.throttled[last])} of them throttled, ` +
    `${(series.requests[last] / Math.max(seconds, 0.001)).toFixed(1)} a second on average and ` +
    `${fastest.toFixed(1)} at most.`
  );
}

export function Timeline({ progress, run }) {
  const series = useMemo(() => seriesOf(progress, run), [progress, run.started_at]);
  const [isTable, setIsTable] = useState(false);
  if (!progress.at.length) return html`<${Text} color="fg.muted">This run has not said yet how far it is.<//>`;
  return html`
    <${Stack} gap=${4}>
      <${Text} fontSize="sm" data-testid="timeline-words">${sayInWords(series)}<//>
      ${CHARTS.map((chart) => html`<${Chart} key=${chart.title} chart=${chart} series=${series} />`)}
      <${Box}>
        <${Button} size="xs" variant="outline" aria-expanded=${isTable} onClick=${() => setIsTable(!isTable)}>
          ${isTable ? "Hide the table" : "Show as a table"}
        <//>
      <//>
      ${isTable && html`<${SeriesTable} series=${series} />`}
    <//>
  `;
}

function Chart({ chart, series }) {
  const place = useRef(null);
  const plot = useRef(null);
  const probes = useRef({});
  const theme = useTheme();
  const [at, setAt] = useState(null);
  useStyleSheet();
  useEffect(() => {
    const colorOf = (color) => getComputedStyle(probes.current[color]).color;
    const options = optionsOf(chart, colorOf, setAt, place.current.clientWidth);
    plot.current = new uPlot(options, dataOf(chart, series), place.current);
    const observer = new ResizeObserver(([entry]) =>
      plot.current.setSize({ width: Math.max(entry.contentRect.width, 100), height: HEIGHT }),
    );
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      plot.current.destroy();
    };
  }, [chart, theme]);
  useEffect(() => plot.current?.setData(dataOf(chart, series)), [chart, series]);
  const index = at ?? series.at.length - 1;
  return html`
    <${Box} as="figure" role="group" aria-label=${chart.title}>
      <${HStack} as="figcaption" gap=${4} wrap="wrap" fontSize="sm" mb=${1}>
        <${Text} fontWeight="medium">${chart.title}<//>
        ${chart.lines.map(
          (line) => html`
            <${HStack} key=${line.name} gap=${1.5}>
              <${Swatch} line=${line} />
              <${Text} color="fg.muted" fontVariantNumeric="tabular-nums">
                ${line.label} ${formatNumber(series[line.name][index] ?? 0)}
              <//>
            <//>
          `,
        )}
        <${Text} color="fg.muted">${at === null ? "" : `at ${CLOCK.format(series.at[index] * 1000)}`}<//>
      <//>
      ${[...chart.lines.map((line) => line.color), "fg.muted", "border"].map(
        (color) => html`
          <${Box} key=${color} ref=${(box) => box && (probes.current[color] = box)} color=${color} display="none" />
        `,
      )}
      <${Box} ref=${place} w="full" h=${`${HEIGHT}px`} aria-hidden="true" overflow="hidden" />
    <//>
  `;
}

function Swatch({ line }) {
  const dash = line.dash?.join(" ");
  return html`
    <${Box} color=${line.color} aria-hidden="true">
      <svg width="24" height="8"><path d="M0 4H24" stroke="currentColor" strokeWidth="2" strokeDasharray=${dash} /></svg>
    <//>
  `;
}

function SeriesTable({ series }) {
  return html`
    <${Table.ScrollArea} borderWidth="1px" rounded="md" maxH="24rem" tabIndex=${0} role="region" aria-label="Timeline">
      <${Table.Root} size="sm" stickyHeader aria-label="Timeline">
        <${Table.Header}>
          <${Table.Row} bg="bg.subtle">
            <${Table.ColumnHeader} scope="col">time<//>
            ${COLUMNS.map(
              (name) => html`
                <${Table.ColumnHeader} key=${name} scope="col" textAlign="end">
                  ${{ measured: "sent per second", rate: "allowed per second" }[name] ?? name}
                <//>
              `,
            )}
          <//>
        <//>
        <${Table.Body}>
          ${series.at.map(
            (at, index) => html`
              <${Table.Row} key=${at}>
                <${Table.Cell}>${CLOCK.format(at * 1000)}<//>
                ${COLUMNS.map(
                  (name) => html`<${Table.Cell} key=${name} textAlign="end">${formatNumber(series[name][index])}<//>`,
                )}
              <//>
            `,
          )}
        <//>
      <//>
    <//>
  `;
}

const formatNumber = (number) => (Number.isInteger(number) ? formatCount(number) : number.toFixed(1));

const dataOf = (chart, series) => [series.at, ...chart.lines.map((line) => series[line.name])];

function optionsOf(chart, colorOf, onCursor, width) {
  const axis = { stroke: colorOf("fg.muted"), grid: { stroke: colorOf("border"), width: 1 }, ticks: { show: false } };
  return {
    width: Math.max(width, 100),
    height: HEIGHT,
    legend: { show: false },
    cursor: { sync: { key: "payrecords-run" }, y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [0, Math.max(high * 1.1, 1)] } },
    axes: [
      { ...axis, values: (_, splits) => splits.map((split) => CLOCK.format(split * 1000)), space: 80, size: 28, incrs: SECONDS },
      { ...axis, size: 56, incrs: COUNTS, values: (_, splits) => splits.map(formatNumber) },
    ],
    series: [
      {},
      ...chart.lines.map((line) => ({
        label: line.label,
        stroke: colorOf(line.color),
        dash: line.dash,
        width: 2,
        points: { show: false },
      })),
    ],
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  };
}

/** Return something that changes when Airflow's colours do. */
function useTheme() {
  const isDark = useMedia("(prefers-color-scheme: dark)");
  const [name, setName] = useState(document.documentElement.className);
  useEffect(() => {
    const observer = new MutationObserver(() => setName(document.documentElement.className));
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ["class", "data-theme"] });
    return () => observer.disconnect();
  }, []);
  return `${name} ${isDark}`;
}

function useStyleSheet() {
  useEffect(() => {
    const href = address("payrecords/static/vendor/uPlot.min.css");
    if (document.querySelector(`link[href="${href}"]`)) return;
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
  }, []);
}
