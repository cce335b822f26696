// These names are none of Sluice's settings, which the commands under test would take them for.

/** Whether there is time for tests that take long: `npm run test:long`. */
export const IS_LONG = process.env.TEST_LONG !== undefined;
/** Whether captures of meetings are tried at length: `npm run test:bbb`. */
export const IS_BBB_LONG = process.env.TEST_BBB !== undefined;
