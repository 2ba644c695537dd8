/** How the suite is called by who reads its reports: by npm in a clone, by npx where the package is installed. */
export const OWN_COMMAND = import.meta.url.endsWith('.ts') ? 'npm start --' : 'npx vfio-irq';
