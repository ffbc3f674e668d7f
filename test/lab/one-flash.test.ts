import { flashes } from './flashes';

/** The other cases are a long run, `npm run test:lab`. */
flashes([{ class: 'range', slot: 1, layout: 'two' }]);
