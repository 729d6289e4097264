// Stands in bundled programs for React's developer tools, which Ink loads only while it is debugged.
export function connectToDevTools() {}
