import { FlashError, sentencesOf, type ErrorValues } from '../../lib/errors';
import type { Inspection } from '../../lib/firmware/inspection';
import type { JobSnapshot } from '../../lib/flash/job/job';
import type { PreflightReport, SaidReport } from '../../lib/preflight/preflight';
import { textOf, type Said } from '../../lib/preflight/phrases';
import { isLabelFilled, type ProgressTextName, type ProgressValues } from '../../lib/progress-texts';
import type { QueueSnapshot } from '../../lib/flash/queue/queue-snapshot';
import type { Report } from '../../lib/flash/run/report';
import { isNote } from '../../lib/flash/verdict/notes';
import type { Finding } from '../../lib/image';
import { PICTURE_TEXTS, type PictureSpeech } from '../../lib/image/picture-texts';
import { fill, isWording, type Wording } from '../../lib/wordings/wording';
import type { Speaker } from './asked-language';

/** A text of the catalogue that all nodes share, or the English one, in which `{name}` is filled. */
export function translateShared(
  RED: Speaker,
  path: string,
  english: string,
  values: Readonly<Record<string, string | number>> = {},
): string {
  return lookUp(RED, `${SHARED_CATALOGUE}:${path}`, path, values) ?? fill(english, values);
}

/** A text of the node's own catalogue, or the English one where the catalogue has none. */
export type Translate = (key: string, english: string, values?: Readonly<Record<string, string | number>>) => string;

/** @param type the node's type, under which its catalogue keeps its texts */
export function translator(RED: Speaker, type: string): Translate {
  return (key, english, values) => lookUp(RED, `${type}.${key}`, `${type}.${key}`, values) ?? english;
}

/** Where the build puts the texts that several nodes share. */
const SHARED_CATALOGUE = '@sonota/node-red/sonota-host';

type Announced = Pick<Report, 'name' | 'values' | 'label' | 'text' | 'details'>;

/** A report in the runtime's language. */
export function translateReport<R extends Announced>(RED: Speaker, report: R): R {
  const { text, details } = report;
  const translated = { ...report, label: translateLabel(RED, report), text: translatePart(RED, report, 'text', text) };
  return details === undefined
    ? translated
    : { ...translated, details: translatePart(RED, report, 'details', details) };
}

/** What of a report stands under a node. */
export function translateLabel(RED: Speaker, report: Announced): string {
  // Values may have words of their own to look up, and this is done for each report of each device.
  const values = isLabelFilled(report.name) ? report.values : {};
  return translatePart(RED, { ...report, values }, 'label', report.label);
}

/** The labels under the nodes of a runtime. One that names no value is looked up once: it is the same for every device. */
export class Labels {
  private readonly known = new Map<ProgressTextName, string>();

  constructor(private readonly RED: Speaker) {}

  of(report: Announced): string {
    const label = this.known.get(report.name) ?? translateLabel(this.RED, report);
    if (!isLabelFilled(report.name)) this.known.set(report.name, label);
    return label;
  }
}

function translatePart(
  RED: Speaker,
  { name, values }: Announced,
  part: 'label' | 'text' | 'details',
  english: string,
): string {
  const path = `announcements.${name}.${part}`;
  return lookUp(RED, `${SHARED_CATALOGUE}:${path}`, path, values) ?? english;
}

/** An error whose two sentences are in the runtime's language, for Catch nodes. */
export function translateError(RED: Speaker, error: FlashError): FlashError {
  const message = sentences(RED, 'errors', error.code, error.values);
  if (message === undefined || message === error.message) return error;
  const translated = new FlashError(error.code, error.values, { cause: error.cause });
  return Object.assign(translated, { message, stack: error.stack });
}

/** A line of a host's log. */
export function translateLine(RED: Speaker, said: FlashError | Wording): string {
  return said instanceof FlashError ? translateError(RED, said).message : String(spokenValue(RED, said));
}

/** The sentence of what happened and that of the remedy, separately. */
export function translateSentences(RED: Speaker, { code, values }: FlashError): { what: string; remedy: string } {
  const english = sentencesOf(code, values);
  return {
    what: sentence(RED, `errors.${code}.what`, values) ?? english.what,
    remedy: sentence(RED, `errors.${code}.remedy`, values) ?? english.remedy,
  };
}

/** A job whose verdict, and whatever else its stages found in words of ours, is in the runtime's language. */
export function translateJob(RED: Speaker, job: JobSnapshot): JobSnapshot {
  const translated = { ...job, stages: spokenFacts(RED, job.stages) as JobSnapshot['stages'] };
  if (!job.verdict) return translated;
  const { code, values = {}, text } = job.verdict;
  const said = isNote(code) ? sentence(RED, `notes.${code}`, values) : sentences(RED, 'errors', code, values);
  const spoken = spokenFacts(RED, values) as typeof values;
  return { ...translated, verdict: { ...job.verdict, text: said ?? text, values: spoken } };
}

/** A queue whose entries say in the runtime's language how they failed. */
export function translateQueue(RED: Speaker, queue: QueueSnapshot): QueueSnapshot {
  const entries = queue.entries.map((entry) => {
    const { error, values, text } = entry;
    if (error === undefined || text === undefined) return entry;
    return { ...entry, text: sentences(RED, 'errors', error, values ?? {}) ?? text };
  });
  return { ...queue, entries };
}

/** What a stage found, with its words as texts in the runtime's language. */
export function translateFound(RED: Speaker, found: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return spokenFacts(RED, found) as Record<string, unknown>;
}

function spokenFacts(RED: Speaker, found: unknown): unknown {
  if (isWording(found)) return spokenValue(RED, found);
  if (Array.isArray(found)) return found.map((one) => spokenFacts(RED, one));
  if (typeof found !== 'object' || found === null) return found;
  return Object.fromEntries(Object.entries(found).map(([name, one]) => [name, spokenFacts(RED, one)]));
}

/** A finding of the image doctor in the runtime's language. */
export function translateFinding<T extends Finding>(RED: Speaker, finding: T): T {
  const { code, values } = finding;
  const [what, remedy] = ['what', 'remedy'].map(
    (part) => sentence(RED, `errors.${code}.${part}`, values) ?? sentence(RED, `findings.${code}.${part}`, values),
  );
  return { ...finding, text: what ?? finding.text, remedy: remedy ?? finding.remedy };
}

/** The table of a preflight in the runtime's language, as messages and the form have it. */
export function translatePreflight(RED: Speaker, { checks, verdict, said }: SaidReport): PreflightReport {
  const say = (one: Said): string => textOf(one, (key, values) => sentence(RED, key, values));
  return {
    checks: checks.map(({ check, code, ok, said: { text, remedy } }) => {
      return { check, code, ok, text: say(text), remedy: say(remedy) };
    }),
    verdict,
    text: say(said),
  };
}

/** What the form of a firmware shows; its picture is drawn in that language already. */
export function translateInspection(RED: Speaker, inspection: Inspection): Inspection {
  if (inspection.state === 'not-fetched') return inspection;
  if (inspection.state === 'unreadable') {
    const { code, values, message } = inspection;
    return { ...inspection, message: sentences(RED, 'errors', code, values) ?? message };
  }
  const translated = (findings: readonly Finding[]): Finding[] => findings.map((one) => translateFinding(RED, one));
  const { findings, inDiyMode } = inspection;
  return { ...inspection, findings: translated(findings), ...(inDiyMode && { inDiyMode: translated(inDiyMode) }) };
}

/** The labels of the flash's picture. */
export function pictureSpeech(RED: Speaker): PictureSpeech {
  return (name, values) => translateShared(RED, `picture.${name}`, PICTURE_TEXTS[name], values);
}

function sentences(RED: Speaker, table: string, code: string, values: ErrorValues): string | undefined {
  const what = sentence(RED, `${table}.${code}.what`, values);
  const remedy = sentence(RED, `${table}.${code}.remedy`, values);
  return what === undefined || remedy === undefined ? undefined : `${what} ${remedy}`;
}

/** A value that is not there shows as a question mark, as in the English table. */
function sentence(RED: Speaker, path: string, values: ErrorValues): string | undefined {
  return lookUp(RED, `${SHARED_CATALOGUE}:${path}`, path, values)?.replace(/__\w+?__/g, '?');
}

/** A missing text comes back as its own path, with or without a namespace before it. */
function lookUp(RED: Speaker, key: string, path: string, values: ProgressValues = {}): string | undefined {
  const spoken = Object.entries(values).map(([name, value]) => [name, spokenValue(RED, value)] as const);
  const text: unknown = RED._(key, Object.fromEntries(spoken));
  return typeof text !== 'string' || text === '' || text.endsWith(path) ? undefined : text;
}

/** What fills a sentence, in the language of the sentence. */
function spokenValue(RED: Speaker, value: ProgressValues[string]): string | number {
  if (typeof value !== 'object') return value;
  if ('error' in value) return sentences(RED, 'errors', value.error, value.values) ?? value.text;
  return sentence(RED, `wordings.${value.code}`, value.values ?? {}) ?? value.text;
}
