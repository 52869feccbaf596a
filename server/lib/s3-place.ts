/** Where a bucket is, and who may use it. */
export interface S3Place {
  bucket: string
  /** Without a trailing slash; undefined: Amazon's own, for the region. */
  endpoint: string | undefined
  region: string
  /** What every key begins with: nothing, or something that ends in a slash. */
  prefix: string
  /** Undefined: as the AWS SDK finds them (environment, profile, container, machine). */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined
  pathStyle: boolean
}
