/** Whether there is time for tests that take long: `npm run test:long`. */
export const IS_LONG = process.env.SLUICE_TEST_LONG !== undefined;
/** Whether captures of meetings are tried at length: `npm run test:bbb`. Its name is none of Sluice's settings. */
export const IS_BBB_LONG = process.env.TEST_BBB !== undefined;
