/** A chip that is written to, white on the green of our nodes. */
const CHIP = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><rect width="48" height="48" rx="10" fill="#3c7a70"/>
<g stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" fill="none"><path d="M24 6v11m-5-5 5 5 5-5"/>
<rect x="14" y="21" width="20" height="20" rx="2"/><path d="M9 26h5M9 31h5M9 36h5M34 26h5M34 31h5M34 36h5"/></g></svg>`;

/** An address that holds the picture itself: Home Assistant needs no connection to us, nor to the internet. */
export const PICTURE = `data:image/svg+xml;base64,${Buffer.from(CHIP.replaceAll('\n', '')).toString('base64')}`;
