/** What is wrong with an address or an answer, in words for the user; another try would bring the same. */
export class RequestRefused extends Error {}
