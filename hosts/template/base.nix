# What any NixOS host must say; replace it by your hardware's.
{
  boot.loader.grub.device = "/dev/vda";
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  # The host's ssh key decrypts its secrets.
  services.openssh.enable = true;
  system.stateVersion = "26.05";
}
