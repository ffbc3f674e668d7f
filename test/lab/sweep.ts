import { flashes } from './flashes';

flashes([
  { class: 'range', slot: 2, layout: 'two' },
  { class: 'no-range', slot: 1, layout: 'two' },
  { class: 'no-range', slot: 2, layout: 'two' },
  { class: 'plain', slot: 1, layout: 'two' },
  { class: 'plain', slot: 2, layout: 'two' },
  { class: 'range', slot: 1, layout: 'one' },
  { class: 'range', slot: 2, layout: 'one', vanish: true },
  { class: 'range', slot: 1, layout: 'two', powerCut: true },
  { class: 'range', slot: 1, layout: 'two', phone: true },
  { class: 'range', slot: 1, layout: 'itself' },
  { class: 'range', slot: 2, layout: 'one', oneHop: true },
]);
