/** @type {(app: object) => { currentUser: { getIdToken(): Promise<string> } | null }} */
export const getAuth = () => ({ currentUser: { getIdToken: async () => String(process.env.TOKEN) } });
