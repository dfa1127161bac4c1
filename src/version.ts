/** Put in by the build, from package.json. */
declare const LOGOBATCH_VERSION: string | undefined;

export const version: string = typeof LOGOBATCH_VERSION === 'string' ? LOGOBATCH_VERSION : 'unbuilt';
