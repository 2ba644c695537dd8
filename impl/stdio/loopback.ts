import { optimisedSystem } from '../optimised/system.ts';
import { serve } from './server.ts';

// The optimised implementation as a process that speaks the protocol: `stdio:node --import tsx impl/stdio/loopback.ts`.
await serve(optimisedSystem());
