// What the frame gives its pages.
import type { FlashbarProps } from '@cloudscape-design/components/flashbar';
import { createContext, useContext } from 'react';
import type { Session } from './api';

export interface Shell {
  session: Session;
  region: string;
  chooseRegion: (region: string) => void;
  notify: (type: FlashbarProps.Type, text: string) => void;
  onSession: (session: Session) => void;
}

export const ShellContext = createContext<Shell | null>(null);
export const useShell = () => useContext(ShellContext)!;
