/**
 * Loaded into node-red-dev before it runs: answers what it asks the network with answers stored here, so that the
 * verdict depends on this package alone. Anything else it asks for is refused, by name.
 */
import Module from 'node:module';

/** The part of each answer that the rules read; by the path that is asked for, wherever it is asked. */
const ANSWERS: Record<string, unknown> = {
  '/catalogue.json': {
    modules: [
      {
        id: 'node-red-contrib-home-assistant-websocket',
        types: ['server', 'ha-button', 'ha-sensor', 'api-call-service'],
      },
      { id: '@flowfuse/node-red-dashboard', types: ['ui-base', 'ui-page', 'ui-group', 'ui-button', 'ui-progress'] },
      // Hypothetical neighbour, for the test that the rule on unique names bites.
      ...(process.env['SONOTA_RIVAL_TYPE'] ? [{ id: 'rival', types: [process.env['SONOTA_RIVAL_TYPE']] }] : []),
    ],
  },
  '/node-red': {
    'dist-tags': { latest: '5.0.7', 'maintenance-4.x': '4.1.15' },
    versions: { '5.0.7': { engines: { node: '>=22.9' } }, '4.1.15': { engines: { node: '>=18.5' } } },
  },
};

/** The newest version of each dependency. */
const LATEST: Record<string, string> = {
  '@jellybrick/dbus-next': '0.11.3',
  'dns-packet': '5.6.1',
  express: '5.3.0',
  'multicast-dns': '7.2.5',
  'node-forge': '1.4.3',
  ws: '8.23.0',
};

const REPLACEMENTS: Record<string, unknown> = {
  axios: {
    get: async (url: string): Promise<{ data: unknown }> => {
      const { pathname } = new URL(url);
      if (pathname in ANSWERS) return { data: ANSWERS[pathname] };
      throw new Error(`no answer is stored for ${url}`);
    },
  },
  // What npm-check asks the registry with.
  'package-json': async (name: string): Promise<unknown> => {
    const version = LATEST[name];
    if (version === undefined) throw new Error(`no version is stored for ${name}`);
    return { name, 'dist-tags': { latest: version }, versions: { [version]: { name, version } } };
  },
};

interface Loader {
  _load(this: void, request: string, ...rest: unknown[]): unknown;
}

const loader = Module as unknown as Loader;
const load = loader._load;
loader._load = (request, ...rest) => REPLACEMENTS[request] ?? load(request, ...rest);
