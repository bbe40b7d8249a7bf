/** Where the built files of the status page are; a bundle of the service has them elsewhere. */
export const pageDirectory: URL = new URL("../page/", import.meta.url);
