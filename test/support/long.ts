/** Whether there is time for tests that take long: `npm run test:long`. */
export const IS_LONG = process.env.SLUICE_TEST_LONG !== undefined;
