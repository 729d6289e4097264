/** Of the whole product: its packages are released together. */
export const VERSION = '0.1.0-dev';
