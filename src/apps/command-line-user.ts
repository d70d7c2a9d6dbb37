/** Whose usage `rendermill render` is, where nobody is named. */
export const commandLineUser = 'cli';
