/** @param {Request} request */
export const userOf = async (request) => {
  const id = request.headers.get("x-user");
  return id ? { id } : null;
};
