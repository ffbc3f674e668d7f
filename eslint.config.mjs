import { posix } from 'node:path';
import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';
import { flashOrder } from './scripts/flash-order.mjs';

const NODE_RED = { regex: '^@?node-red(/|$)', message: 'lib/ never imports Node-RED.' };

/** Files that import neither Node-RED nor what the patterns match; what says more of the same files comes after it. */
function notFrom(files, patterns) {
  return {
    files,
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns: [NODE_RED, ...patterns] }] },
  };
}

/** Folders of lib/ that a layer must not import (docs/dev/architecture.md#1). */
function above(folders) {
  return {
    regex: `(^|/)(${folders.join('|')})(/|$)`,
    message:
      'Imports point down only: nodes -> preflight -> flash -> tasmota, firmware -> server, client, net -> protocol, image, storage, timing -> errors.',
  };
}

function layer(folders, upper) {
  return notFrom(
    folders.map((folder) => `lib/${folder}/**/*.ts`),
    [above(upper)],
  );
}

/** The folder; lib/protocol/ has a file of that name. */
const TASMOTA = 'tasmota(?=/)';

const ABOVE_FLASH = ['preflight', 'home-assistant', 'virtual', 'nodes'];

/** One folder inside lib/flash, from which nothing is imported that stands above it (docs/dev/architecture.md#1.1). */
function flashFolder(folder, place, order) {
  const upper = order.slice(0, place).map((other) => {
    const path = posix.relative(folder, other);
    const start = path.startsWith('.') ? path : `./${path}`;
    return {
      regex: `^${start.replaceAll('.', '\\.')}(/[^/]+)?$`,
      message: `${other} is above ${folder} (docs/dev/architecture.md#1.1).`,
    };
  });
  return notFrom([`${folder}/*.ts`], [above(ABOVE_FLASH), ...upper]);
}

/** An emitter whose events have no types takes any listener for any event. */
const UNTYPED_EMITTERS = [
  "ClassDeclaration[superClass.name='EventEmitter']:not([superTypeArguments])",
  "NewExpression[callee.name='EventEmitter']:not([typeArguments])",
].map((selector) => ({ selector, message: 'State its events and their arguments: EventEmitter<{ changed: [] }>.' }));

const PURE = {
  files: [
    ...['protocol', 'image', 'wordings', 'flash/verdict', 'home-assistant'].map((folder) => `lib/${folder}/**/*.ts`),
    'lib/flash/*.ts',
  ],
  rules: {
    'no-restricted-globals': [
      'error',
      ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'process'].map((name) => ({
        name,
        message: 'This layer is pure: what came in -> what goes out.',
      })),
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: 'This layer has no clock: take the time as an argument.' },
      { object: 'Math', property: 'random', message: 'This layer is deterministic.' },
    ],
    'no-restricted-syntax': [
      'error',
      ...UNTYPED_EMITTERS,
      {
        selector: "NewExpression[callee.name='Date'][arguments.length=0]",
        message: 'This layer has no clock: take the time as an argument.',
      },
      {
        selector:
          'ImportDeclaration[source.value=/^(node:)?(net|tls|dgram|https?|http2|fs|fs\\u002Fpromises|timers|timers\\u002Fpromises|child_process|os)$/]',
        message: 'This layer is pure: no socket, timer, clock or file.',
      },
    ],
  },
};

/** What Node-RED hands to a node, by the names that it has in all nodes. */
const RAW = '/^(config|definition|message|msg|credentials)$/';
const READ_VALUES = 'Read it through Values (nodes/shared/values.ts): Node-RED delivers it in any type.';

/** No node reads a form field, a credential or a message property by itself. */
const ONE_READER = {
  files: ['nodes/**/*.ts'],
  ignores: ['nodes/**/*.editor.ts', 'nodes/shared/values.ts', 'nodes/shared/messages.ts'],
  rules: {
    'no-restricted-syntax': [
      'error',
      ...UNTYPED_EMITTERS,
      ...[
        // What Node-RED itself sets, and references to nodes by their id.
        `MemberExpression[object.name=${RAW}][property.name!=/^(id|type|name|host|links|wires|code)$/]:not(AssignmentExpression > .left, UnaryExpression[operator='delete'] > *)`,
        `VariableDeclarator[id.type='ObjectPattern'][init.name=${RAW}]`,
        // An object in the place of a parameter, whose type says that it is one of these.
        ':matches(FunctionDeclaration, FunctionExpression, ArrowFunctionExpression) > ObjectPattern[typeAnnotation.typeAnnotation.typeName.name=/^(Message|NodeMessage|NodeDef|.+Def)$/]',
        "MemberExpression[property.name='credentials']:not(CallExpression[callee.object.name='Values'] > *)",
      ].map((selector) => ({ selector, message: READ_VALUES })),
    ],
  },
};

/** What makes a test depend on how busy its machine is. */
const TESTS_WITHOUT_TIME = {
  files: ['test/**/*.ts'],
  ignores: [
    // Whole processes and machines: their limits only end what hangs. The bench measures, and asserts nothing.
    'test/{bench,dashboard,examples,home-assistant,lab,many,radio,survive,unattended}/**',
    'test/shared/{comms,node-red}.ts',
    'test/net/wifi/dbusmock.ts',
    'test/one-hop/emulator.ts',
    // It plays a service that takes its time.
    'test/net/wifi/fake-networkmanager.ts',
    // What takes longer is allowed more there: a busy machine only adds to that.
    'test/virtual/finalstage.test.ts',
    'test/flash/limits.test.ts',
  ],
  rules: {
    'no-restricted-syntax': [
      'error',
      ...[
        "CallExpression[callee.object.name='performance'][callee.property.name='now']",
        "BinaryExpression[operator=/^[<>]=?$/] CallExpression[callee.object.name='Date'][callee.property.name='now']",
        "CallExpression[callee.object.name='AbortSignal'][callee.property.name='timeout']",
        "NewExpression[callee.name='Promise'] CallExpression[callee.name='setTimeout']",
        "ImportDeclaration[source.value=/timers\\u002Fpromises$/] > ImportSpecifier[imported.name='setTimeout']",
      ].map((selector) => ({
        selector,
        message: 'A busy machine is slow: wait for an event, or let time stand (test/shared/standing-time.ts).',
      })),
      {
        selector: "CallExpression[callee.object.type='ThisExpression'][callee.property.name='timeout'] > Literal",
        message: 'One limit ends what hangs (.mocharc.json); only what takes longer sets its own, as a constant.',
      },
    ],
  },
};

/** In the editor, texts of devices, servers and files are shown as text: whatever takes HTML takes no value. */
const HTML_OF_VALUES = [
  "MemberExpression[object.name='RED'][property.name='notify']",
  "CallExpression[callee.property.name='html'][arguments.length>0]",
  'CallExpression[callee.property.name=/^(insertAdjacentHTML|parseHTML|write|writeln)$/]',
  'AssignmentExpression[left.property.name=/^(innerHTML|outerHTML|srcdoc)$/]',
  "CallExpression[callee.name='$'] > TemplateLiteral[expressions.length>0][quasis.0.value.raw=/^\\s*</]",
  'CallExpression[callee.property.name=/^(append|prepend|before|after|replaceWith)$/] > TemplateLiteral[expressions.length>0]',
].map((selector) => ({ selector, message: 'Show it as text: sonotaNotify, or jQuery text() and attr().' }));

const UP_FROM_LOW = [
  ...['server', 'client', 'net', 'firmware', TASMOTA, 'flash', 'preflight', 'home-assistant', 'virtual', 'nodes'],
];

export default tseslint.config(
  { ignores: ['dist/', '.dist-*/', 'node_modules/', '.node-red-5/', '.palettes/', '.rehearsal/', '.out-*/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: ['./tsconfig.json', './tsconfig.editor.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // A promise nobody awaits ends the whole Node-RED process when it fails.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': [
        'error',
        { fixStyle: 'inline-type-imports', disallowTypeAnnotations: false },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/require-await': 'off',
      // The compiler refuses what is unused.
      '@typescript-eslint/no-unused-vars': 'off',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'prefer-const': 'error',
    },
  },
  {
    // Plain scripts: what one declares at its top, the others use.
    files: ['nodes/**/*.editor.ts'],
    languageOptions: { sourceType: 'script' },
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { vars: 'local', argsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', ...HTML_OF_VALUES],
      'no-restricted-properties': [
        'error',
        ...['ajax', 'get', 'getJSON', 'post'].map((property) => ({
          object: '$',
          property,
          message: "Use sonotaRequest: the answer comes in the editor's language.",
        })),
      ],
    },
  },
  {
    files: ['nodes/shared/request.editor.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['nodes/shared/notify.editor.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-console': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  layer(['home-assistant'], ['server', 'client', 'net', 'firmware', TASMOTA, 'preflight', 'virtual', 'nodes']),
  layer(['preflight'], ['home-assistant', 'virtual', 'nodes']),
  layer(['flash'], ABOVE_FLASH),
  ...flashOrder().map(flashFolder),
  layer(['firmware'], [TASMOTA, 'flash', 'preflight', 'server', 'home-assistant', 'virtual', 'nodes']),
  layer(['tasmota'], ['firmware', 'flash', 'preflight', 'server', 'storage', 'home-assistant', 'virtual', 'nodes']),
  layer(['server', 'client', 'net'], ['firmware', TASMOTA, 'flash', 'preflight', 'storage', 'virtual', 'nodes']),
  layer(['protocol', 'image', 'storage', 'timing'], UP_FROM_LOW),
  layer(['wordings'], [...UP_FROM_LOW, 'protocol', 'image', 'errors']),
  notFrom(
    ['lib/*.ts'],
    [
      {
        regex: `(^|/)(${[...UP_FROM_LOW, 'protocol', 'image'].join('|')})(/|$)`,
        message: 'lib/errors.ts and lib/progress-texts.ts are the bottom layer, above lib/wordings/ alone.',
      },
    ],
  ),
  notFrom(
    ['lib/virtual/**/*.ts'],
    [
      {
        regex: '(^|/)(server|client|net|flash|nodes|image|errors)(/|\\.|$)',
        message: 'The virtual Sonoff is a device of its own: it shares no code with what it tests.',
      },
      { regex: '^\\.\\./\\.\\./tasmota/', message: 'The virtual Tasmota is a device of its own, too.' },
      { regex: '(^|/)protocol(/|$)', allowTypeImports: true, message: 'Only types of protocol/ may come in here.' },
    ],
  ),
  { files: ['lib/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...UNTYPED_EMITTERS] } },
  PURE,
  TESTS_WITHOUT_TIME,
  ONE_READER,
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'console',
          'process',
          'Buffer',
          'URL',
          'fetch',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'AbortSignal',
          'AbortController',
          'WebSocket',
          'require',
          'module',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
