import helper from 'node-red-node-test-helper';
import { nodeRedFolder } from '../shared/node-red';

/** Opens Node-RED's admin API for the tests of a describe; `helper.request()` asks it. */
export function useAdminServer(): void {
  before((done) => {
    helper.init(require.resolve(nodeRedFolder()));
    helper.startServer(done);
  });
  after((done) => {
    helper.stopServer(done);
  });
}
