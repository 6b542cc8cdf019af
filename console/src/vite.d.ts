/// <reference types="vite/client" />
declare module '#global-styles.css';
