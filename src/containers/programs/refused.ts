import type { Program } from '../process.js';

/**
 * Programs of BusyBox that make no sense in a simulated container, by what they would need. They are there, and say so.
 */
export const REFUSED: Readonly<Record<string, string>> = {
  ...named('an editor on a full screen', 'vi ed'),
  ...named('arithmetic of addresses', 'ipcalc'),
  ...named('other root directories and namespaces', 'chroot pivot_root switch_root unshare nsenter setpriv run-init'),
  ...named(
    'block devices and their file systems',
    'losetup mkfs.ext2 mkfs.minix mkfs.vfat mkdosfs mke2fs mkswap swapon swapoff fdisk blkid findfs blockdev blkdiscard fsck fsck.minix fsfreeze fstrim hdparm eject fdflush fdformat freeramdisk partprobe raidautorun rdev tune2fs volname nbd-client ubiattach ubidetach ubimkvol ubirename ubirmvol ubirsvol ubiupdatevol nanddump nandwrite flash_eraseall flash_lock flash_unlock flashcp fatattr lsattr chattr mdev makedevs umount mountpoint acpid',
  ),
  ...named(
    'a kernel that is loaded and set up',
    'insmod rmmod modprobe lsmod modinfo depmod hwclock adjtimex rdate ntpd devmem readahead rtcwake conspy setkeycodes klogd syslogd logger logread nologin uevent',
  ),
  ...named(
    'an init system and services',
    'init linuxrc halt poweroff reboot runsv runsvdir sv svc svlogd svok start-stop-daemon crond crontab run-parts inetd tcpsvd udpsvd watchdog getty login su sulogin vlock bootchartd',
  ),
  ...named(
    'users that are added and passwords',
    'adduser addgroup deluser delgroup passwd chpasswd mkpasswd cryptpw last users mesg wall',
  ),
  ...named(
    'a console',
    'chvt deallocvt fgconsole openvt setconsole setfont loadfont loadkmap dumpkmap kbd_mode showkey fbset fbsplash cttyhack beep setlogcons',
  ),
  ...named(
    'links and addresses that can be changed',
    'brctl vconfig ifup ifdown ifenslave ifplugd nameif slattach tunctl iptunnel mii-tool udhcpc udhcpc6 udhcpd dhcprelay dumpleases zcip ether-wake pscan etherwake',
  ),
  ...named(
    'servers and clients of protocols that nobody speaks here',
    'ftpd ftpget ftpput tftp tftpd telnetd dnsd fakeidentd httpd lpd lpq lpr popmaildir makemime reformime sendmail rx microcom ssl_client',
  ),
  ...named(
    'compression other than gzip',
    'bzip2 bunzip2 bzcat lzma unlzma lzcat lzop unlzop lzopcat xz unxz xzcat uncompress unzip',
  ),
  ...named('archives other than tar', 'ar cpio rpm rpm2cpio dpkg dpkg-deb'),
  ...named(
    'shared memory and devices',
    'ipcs ipcrm i2cget i2cset i2cdump i2cdetect i2ctransfer lsscsi lspci lsusb lsof fuser scriptreplay script ttysize chrt renice powertop iostat mpstat nmeter pmap smemcap hush nuke resume uudecode uuencode patch mim mt',
  ),
};

function named(what: string, names: string): Record<string, string> {
  return Object.fromEntries(names.split(' ').map(name => [name, what]));
}

/** Says what is missing. */
export const refusedProgram =
  (what: string): Program =>
  async process => {
    await process.stderr.write(`${process.args[0] ?? ''}: not simulated here: ${what}\n`);
    return 1;
  };
