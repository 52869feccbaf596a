export const KiB = 1024
export const MiB = 1024 * KiB
export const GiB = 1024 * MiB

export const sizeName = (bytes: number) =>
  bytes < MiB ? `${bytes / KiB} KiB` : bytes < GiB ? `${bytes / MiB} MiB` : `${bytes / GiB} GiB`
