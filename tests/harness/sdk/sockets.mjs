export const sockets = [];
