/**
 * The rows of a form. Of a row stands in a `.form.html` what differs from the others:
 *
 *     <form-row icon="globe" label="url"><input type="text" id="node-input-url" /></form-row>
 *     <form-check id="node-input-force" label="forceDevice" />
 *
 * The first becomes a row of Node-RED's, whose label belongs to the first field in it; the second a checkbox with words
 * behind it. `label` is a text below `<type>.label` in the node's catalogue, or with a colon one of another catalogue. What
 * else a row's tag says goes into its element.
 */

/**
 * @param {string} form what stands in the file
 * @param {string} type of its node
 * @returns {string} as the editor knows it
 * @throws Error where a row has no field, or a tag is not whole
 */
export function withRows(form, type) {
  const keyOf = (label) => (label.includes(':') ? label : `${type}.label.${label}`);
  const whole = form
    .replace(/<form-check\s([^>]*?)\/>/g, (_, said) => check(attributesIn(said), keyOf))
    .replace(/<form-row\s([^>]*)>(.*?)<\/form-row>/gs, (_, said, content) => row(attributesIn(said), content, keyOf));
  const [left] = /<\/?form-(row|check)\b[^>]*>/.exec(whole) ?? [];
  if (left) throw new Error(`the form of ${type} has a tag that is not whole: ${left}`);
  return whole;
}

function row({ icon, label, class: own = '', ...others }, content, keyOf) {
  const [, id] = /\sid="([^"]+)"/.exec(content) ?? [];
  if (id === undefined) throw new Error(`the row ${label} has no field`);
  const attributes = Object.entries({ class: `form-row ${own}`.trim(), ...others });
  return `<div ${attributes.map(([name, value]) => `${name}="${value}"`).join(' ')}>
  <label for="${id}">
    ${icon === undefined ? '' : `<i class="fa fa-${icon}"></i>`}
    <span data-i18n="${keyOf(label)}"></span>
  </label>
  ${content.trim()}
</div>`;
}

function check({ id, label }, keyOf) {
  return `<label for="${id}" style="width: 70%">
    <input type="checkbox" id="${id}" style="display: inline-block; width: auto; vertical-align: baseline; margin-right: 6px" />
    <span data-i18n="${keyOf(label)}"></span>
  </label>`;
}

function attributesIn(tag) {
  return Object.fromEntries([...tag.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
}
