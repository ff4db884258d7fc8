// Results as charts: an SVG for each metric, with a small bar chart for each case.
import * as echarts from "echarts";
import { type Contestant, contestant } from "./contestants.ts";
import { type Metric, metrics, show } from "./metrics.ts";
import { metricsOf, type Outcome, type Results } from "./results.ts";

const COLUMNS = 3;
const PANEL = { width: 440, bar: 22, head: 40, foot: 26, label: 140, margin: 70 };
const TOP = 72;

const colours: Record<Contestant["role"], string> = {
  floor: "#9e9e9e",
  ours: "#2f6fdb",
  variant: "#7aa5ea",
  peer: "#e08a3c",
  other: "#7cab6a",
  bare: "#cfcfcf",
};

/** The bars of one case. */
interface Panel {
  outcome: Outcome;
  bars: { title: string; colour: string; median: number; least: number; most: number }[];
}

function panelOf(outcome: Outcome, metric: Metric): Panel {
  const bars = outcome.entries.flatMap(({ contestant: name, spreads }) => {
    const { title, role } = contestant(name);
    const spread = spreads[metric];
    return spread === undefined ? [] : [{ title, colour: colours[role], ...spread }];
  });
  return { outcome, bars };
}

const heightOf = ({ bars }: Panel) => PANEL.head + PANEL.foot + bars.length * PANEL.bar;

/** Lays the panels out in rows, each as high as its highest panel. */
function layOut(panels: Panel[]): { left: number; top: number }[] {
  let top = TOP;
  return panels.map((_, i) => {
    const column = i % COLUMNS;
    if (column === 0 && i > 0) {
      top += Math.max(...panels.slice(i - COLUMNS, i).map(heightOf));
    }
    return { left: column * PANEL.width, top };
  });
}

/**
 * A line from the lowest to the highest round over each bar, with the median in digits behind it.
 */
function whiskers({ bars }: Panel, i: number, metric: Metric): echarts.CustomSeriesOption {
  return {
    type: "custom",
    xAxisIndex: i,
    yAxisIndex: i,
    silent: true,
    data: bars.map(({ least, most }, row) => [least, most, row]),
    encode: { x: [0, 1], y: 2 },
    renderItem: ({ dataIndex }, api) => {
      const [x1, y] = api.coord([api.value(0), api.value(2)]);
      const [x2] = api.coord([api.value(1), api.value(2)]);
      const text = show(metric, bars[dataIndex].median);
      const style = { text, x: x2 + 6, y, fontSize: 11, fill: "#222" };
      const line = { x1, y1: y, x2, y2: y };
      return {
        type: "group",
        children: [
          { type: "line", shape: line, style: { stroke: "#222" } },
          { type: "text", style: { ...style, verticalAlign: "middle" as const } },
        ],
      };
    },
  };
}

function barSeries({ bars }: Panel, i: number): echarts.BarSeriesOption {
  return {
    type: "bar",
    xAxisIndex: i,
    yAxisIndex: i,
    barWidth: "64%",
    data: bars.map(({ median, colour }) => ({ value: median, itemStyle: { color: colour } })),
  };
}

/** One line with what the figures depend on. */
function origin({ date, machine, plan }: Results): string {
  const programs = Object.entries(machine.versions).map((words) => words.join(" "));
  const where = `${machine.cores} × ${machine.processor}, Linux ${machine.kernel}`;
  return [...programs, where, `medians of ${plan.rounds} rounds`, date.slice(0, 10)].join(", ");
}

function optionOf(
  results: Results,
  panels: Panel[],
  metric: Metric,
  places: ReturnType<typeof layOut>,
) {
  const { title, better } = metrics[metric];
  const text = `${title} (${better} is better)`;
  const heading = { text, subtext: origin(results), left: 12, top: 12 };
  const option: echarts.EChartsOption = {
    animation: false,
    backgroundColor: "#ffffff",
    title: [
      heading,
      ...panels.map(({ outcome }, i) => ({
        text: outcome.title,
        left: places[i].left + 12,
        top: places[i].top + 8,
        textStyle: { fontSize: 12 },
      })),
    ],
    grid: panels.map(({ bars }, i) => ({
      left: places[i].left + PANEL.label,
      top: places[i].top + PANEL.head,
      width: PANEL.width - PANEL.label - PANEL.margin,
      height: bars.length * PANEL.bar,
    })),
    xAxis: panels.map((_, gridIndex) => ({ type: "value", gridIndex, show: false, min: 0 })),
    yAxis: panels.map(({ bars }, gridIndex) => ({
      type: "category",
      gridIndex,
      inverse: true,
      data: bars.map(({ title }) => title),
      axisTick: { show: false },
      axisLabel: { fontSize: 11 },
    })),
    series: panels.flatMap((panel, i) => [barSeries(panel, i), whiskers(panel, i, metric)]),
  };
  return option;
}

/** The chart of a metric as SVG; `undefined` when no case has it. */
export function chart(results: Results, metric: Metric): string | undefined {
  const panels = results.outcomes.filter((outcome) => metricsOf(outcome).includes(metric))
    .map((outcome) => panelOf(outcome, metric));
  if (panels.length === 0) {
    return undefined;
  }
  const places = layOut(panels);
  const last = panels.slice((Math.ceil(panels.length / COLUMNS) - 1) * COLUMNS);
  const size = {
    // Never narrower than the text at the top.
    width: COLUMNS * PANEL.width,
    height: places.at(-1)!.top + Math.max(...last.map(heightOf)),
  };
  const made = echarts.init(null, null, { renderer: "svg", ssr: true, ...size });
  made.setOption(optionOf(results, panels, metric, places));
  const svg = made.renderToSVGString();
  made.dispose();
  return svg;
}
