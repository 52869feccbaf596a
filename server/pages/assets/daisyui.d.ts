declare module 'daisyui'
declare module 'daisyui/theme/index.js'
