// Results as Markdown.
import { contestant } from "./contestants.ts";
import type { Machine } from "./machine.ts";
import { type Metric, metrics, show, type Spread } from "./metrics.ts";
import { type Entry, metricsOf, type Outcome, type Results, samplesOf } from "./results.ts";
import { describe, ratio, type Samples, type Target, valueText } from "./targets.ts";

const row = (cells: string[]): string => `| ${cells.join(" | ")} |`;

function table(head: string[], rows: string[][]): string {
  const rule = head.map((_, i) => i === 0 ? "---" : "---:");
  return [head, rule, ...rows].map(row).join("\n");
}

/** A median and the largest deviation of a round from it. */
function figure(metric: Metric, spread: Spread | undefined): string {
  if (spread === undefined) {
    return "";
  }
  const { median, least, most } = spread;
  const off = median === 0 ? 0 : Math.max(most - median, median - least) / Math.abs(median);
  return show(metric, median) + (least === most ? "" : ` ±${Math.round(off * 100)} %`);
}

/** The ratios that get a column. */
const ratios: { metric: Metric; than: Target["than"]; head: string }[] = [
  { metric: "rate", than: "peer", head: "rate ÷ peer" },
  { metric: "cpu", than: "peer", head: "CPU ÷ peer" },
  { metric: "cpu", than: "floor", head: "CPU ÷ floor" },
  { metric: "p50", than: "peer", head: "p50 ÷ peer" },
];

function ratioText(samples: Samples, metric: Metric, than: Target["than"], name: string): string {
  return ratio(samples, metric, than, name)?.toFixed(2) ?? "";
}

function entryRow(entry: Entry, shown: Metric[], samples: Samples, columns: typeof ratios) {
  const { contestant: name, spreads, fault } = entry;
  const figures = shown.map((metric) => figure(metric, spreads[metric]));
  const compared = columns.map(({ metric, than }) => ratioText(samples, metric, than, name));
  return [contestant(name).title + (fault === undefined ? "" : " (!)"), ...figures, ...compared];
}

function verdictLine({ verdicts }: Outcome): string[] {
  return verdicts.map((verdict) => {
    const { title } = contestant(verdict.contestant);
    const how = verdict.met ? "met" : "**missed**";
    return `- ${describe(verdict.target)}: ${title} ${valueText(verdict)}, ${how}`;
  });
}

/** The text of one case. */
export function outcomeText(outcome: Outcome): string {
  const heading = `### ${outcome.name}: ${outcome.title}`;
  if (outcome.missing !== undefined) {
    return `${heading}\n\n${outcome.missing}`;
  }
  const samples = samplesOf(outcome);
  const shown = metricsOf(outcome);
  const columns = ratios.filter(({ metric, than }) =>
    outcome.entries.some(({ contestant }) => ratioText(samples, metric, than, contestant) !== "")
  );
  const head = ["", ...shown.map((metric) => metrics[metric].title)];
  const rows = outcome.entries.map((entry) => entryRow(entry, shown, samples, columns));
  const faults = outcome.entries.filter(({ fault }) => fault !== undefined)
    .map(({ contestant: name, fault }) => `- (!) ${contestant(name).title}: ${fault}`);
  const parts = [
    heading,
    table([...head, ...columns.map(({ head }) => head)], rows),
    [...faults, ...verdictLine(outcome)].join("\n"),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** Processor time per request of the plaintext cases: it should not grow with the load. */
function costText(outcomes: Outcome[]): string[] {
  const found = ["1", "8", "64", "256", "1000", "10000", "pipelined-4", "pipelined"]
    .map((load) => outcomes.find(({ name }) => name === `plaintext-${load}`))
    .filter((outcome) => outcome !== undefined && outcome.entries.length > 0) as Outcome[];
  if (found.length < 2) {
    return [];
  }
  const rows = found[0].entries.map(({ contestant: name }) => [
    contestant(name).title,
    ...found.map(({ entries }) =>
      figure("cpu", entries.find(({ contestant }) => contestant === name)?.spreads.cpu)
    ),
  ]);
  const head = ["", ...found.map(({ title }) => title.replace("plaintext, ", ""))];
  return ["## Cost against load: CPU µs per request", table(head, rows)];
}

function machineText({ processor, cores, memory, kernel, pinned, versions, commit }: Machine) {
  const programs = Object.entries(versions).map((words) => words.join(" ")).join(", ");
  const where = pinned.server === undefined
    ? "nothing pinned (one core, or no taskset): server and load generator disturb each other"
    : `server on core ${pinned.server}, load generator on core ${pinned.load}`;
  return [
    `- ${cores} × ${processor}, ${memory}, Linux ${kernel}; ${where}`,
    `- ${programs}; commit ${commit}`,
  ];
}

/** The text of a whole run. `charts` are file names. */
export function resultsText(results: Results, charts: string[]): string {
  const { date, machine, plan, outcomes } = results;
  const verdicts = outcomes.flatMap(({ verdicts }) => verdicts);
  const met = verdicts.filter(({ met }) => met).length;
  const facts = [
    `- ${date}`,
    ...machineText(machine),
    `- ${plan.rounds} rounds of ${plan.seconds} s; medians, ± the farthest round; the peer is the ` +
    "better of Bun.serve and Deno.serve",
    `- ${met} of ${verdicts.length} targets met`,
  ];
  return [
    "# Results",
    facts.join("\n"),
    "## Cases",
    ...outcomes.map(outcomeText),
    ...costText(outcomes),
    ...(charts.length > 0 ? ["## Charts"] : []),
    ...charts.map((chart) => `![${chart}](${chart})`),
  ].join("\n\n") + "\n";
}
