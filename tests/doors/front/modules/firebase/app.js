/** @param {{ apiKey: string, authDomain: string, projectId: string }} options */
export const initializeApp = (options) => ({ name: "[DEFAULT]", options });
