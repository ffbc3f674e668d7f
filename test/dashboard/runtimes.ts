import { nodeRedFolder } from '../shared/node-red';

const { SONOTA_NODE_5: node5, SONOTA_NODE_RED_5: folder5 } = process.env;

/** The Node-RED versions to test with, each with a Node.js that it takes; undefined where there is none. */
export const RUNTIMES = {
  '4.1': { node: process.execPath, folder: nodeRedFolder() },
  '5.0': node5 !== undefined && folder5 !== undefined ? { node: node5, folder: folder5 } : undefined,
};
