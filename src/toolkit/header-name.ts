/** A pattern for what may be the name of a header (RFC 9110 §5.6.2). */
export const headerName = "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$";
