/** The Kubernetes release that is played, by every process and in whatever names it. */
export const KUBERNETES_VERSION = '1.35.6';

const [major = '', minor = ''] = KUBERNETES_VERSION.split('.');

export const KUBERNETES_MAJOR = major;
export const KUBERNETES_MINOR = minor;
/** As upstream's programs call themselves, without the patch: "1.35". */
export const KUBERNETES_RELEASE = `${major}.${minor}`;
