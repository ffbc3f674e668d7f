/** What each kind of value may be given as, and what must come of it. */

/** The node has taken the value and gone on with it. */
export const READ = 'read';

const INVALID = 'value-invalid';
const UNSET = 'variable-unset';

export type Row = readonly [given: unknown, outcome: string];

/** A variable that no process has, and one that the test sets. */
export const NO_VARIABLE = '${SONOTA_TEST_NO_SUCH_VARIABLE}';
const NOTHING: Row[] = [
  ['', READ],
  [null, READ],
];
const NO_TEXT: Row[] = [
  [{}, INVALID],
  [[], INVALID],
  [true, INVALID],
  [1.5, INVALID],
  [2 ** 60, INVALID],
];

const UNREADABLE_FLAGS: Row[] = [
  ['maybe', INVALID],
  [2, INVALID],
  [{}, INVALID],
  [NO_VARIABLE, UNSET],
];
const set = (outcome: string): Row[] => [true, 1, 'true', '1', ' On ', 'YES'].map((given) => [given, outcome]);
const notSet = (outcome: string): Row[] =>
  [false, 0, 'false', '0', 'off', ' No ', '', null].map((given) => [given, outcome]);

export const flag: Row[] = [...set(READ), ...notSet(READ), ...UNREADABLE_FLAGS];
/** Set, it ends what waits, and starts nothing. */
export const cancel: Row[] = [...set('ok'), ...notSet(READ), ...UNREADABLE_FLAGS];

function number(good: readonly unknown[], bad: readonly unknown[]): Row[] {
  return [
    ...good.map((given): Row => [given, READ]),
    ...[...bad, 'soon', '-1', '1e2', true, {}].map((given): Row => [given, INVALID]),
    [NO_VARIABLE, UNSET],
  ];
}

export const seconds: Row[] = [...number([30, '30', ' 30.5 '], [0, '0', '30 s', 1e9]), ...NOTHING];
export const count: Row[] = [...number([2, '2', ' 2 '], [0, '0', '1.5']), ...NOTHING];
export const factor: Row[] = [...number([2, '0.5'], [0, '0']), ...NOTHING];
/** Port 0 is any: the field's own default may be in use on this machine. */
export const openedPort: Row[] = number([0, '0', ' 0 '], ['65536', '80.5', 'http']);
export const port: Row[] = [...openedPort, [1883, READ], ...NOTHING];

/** @param good a text that the node can work with */
export function text(good: string): Row[] {
  return [
    [good, READ],
    [`  ${good} `, READ],
    ...NOTHING,
    ...NO_TEXT,
    [NO_VARIABLE, UNSET],
    [`${good}${NO_VARIABLE}`, INVALID],
  ];
}

/** @param outerSpaces what comes of spaces at the ends */
export function exactText(good: string, outerSpaces: string): Row[] {
  return [
    [good, READ],
    [12345678, READ],
    [999_999_999_999_999, READ],
    ...(outerSpaces === READ ? [] : [[` ${good}`, outerSpaces] as Row, [`${good} `, outerSpaces] as Row]),
    ...NO_TEXT,
    [NO_VARIABLE, UNSET],
  ];
}

/** @param refusal the code of a choice that has its own */
export function choice(good: string, refusal = INVALID): Row[] {
  return [
    [good, READ],
    [` ${good.toUpperCase()} `, READ],
    ...NOTHING,
    ...['no such choice', {}, true].map((given): Row => [given, refusal]),
    [NO_VARIABLE, UNSET],
  ];
}

export const url: Row[] = [
  ['http://127.0.0.1:1', READ],
  [' 127.0.0.1:1 ', READ],
  ...NOTHING,
  ...['https://127.0.0.1', 'ftp://127.0.0.1', 'http://', 'a b'].map((given): Row => [given, 'url-invalid']),
  ...NO_TEXT,
  [NO_VARIABLE, UNSET],
];

export const deviceid: Row[] = [
  ...['1000f1a5b0', ' 1000F1A5B0 ', 'ITEAD-1000f1a5b0', 1000123456].map((given): Row => [given, READ]),
  ...['the lamp', 'a/b', ...NO_TEXT.map(([given]) => given)].map((given): Row => [given, INVALID]),
  [NO_VARIABLE, UNSET],
];

export const deviceids: Row[] = [
  [['1000f1a5b0', 1000123456], READ],
  ['1000f1a5b0, ITEAD-1000123456', READ],
  [[], READ],
  [[{}], INVALID],
  [[''], INVALID],
  ['1000f1a5b0, a/b', INVALID],
  [{}, INVALID],
  [[NO_VARIABLE], UNSET],
];

/** As other programs export them. */
export const devices: Row[] = [
  ...[[], {}, '[]', [{ model: 'MINI' }], [7]].map((given): Row => [given, READ]),
  ...NOTHING,
  ...['the lamp', 7, true, NO_VARIABLE].map((given): Row => [given, INVALID]),
];

export const object: Row[] = [[{}, READ], ...NOTHING, ...['text', [], 7, true].map((given): Row => [given, INVALID])];

export const anything: Row[] = [undefined, null, '', 'text', 7, true, {}, []].map((given) => [given, READ]);

/** A config node by its id. */
export const host: Row[] = [
  ['host', READ],
  ['', 'host-missing'],
  ['nowhere', 'host-missing'],
  ['firmware', 'host-missing'],
];

/** Undefined counts as what the message says. */
export const firmwareId: Row[] = [
  ['firmware', READ],
  [' firmware ', READ],
  ...NOTHING,
  [{}, INVALID],
  [NO_VARIABLE, UNSET],
];

export const firmware: Row[] = [
  ...['made up', ' made up ', 'firmware', { final: 'rehearsal:' }].map((given): Row => [given, READ]),
  ['twice', 'reference-ambiguous'],
  ['nowhere', 'firmware-missing'],
  [7, 'firmware-missing'],
  ...[[], Buffer.from('image'), true, { final: true }, { digests: 'x' }].map((given): Row => [given, INVALID]),
  [NO_VARIABLE, UNSET],
  [{ final: NO_VARIABLE }, UNSET],
];

export const image: Row[] = [
  ['rehearsal:', READ],
  [' "rehearsal:" ', READ],
  [true, INVALID],
  [NO_VARIABLE, UNSET],
  [`/data/${NO_VARIABLE}.bin`, INVALID],
];
