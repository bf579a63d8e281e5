# A host that sets every kind of option the stand-in has: real.nix compares it with what NixOS makes of the same.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  networking = {
    hostName = "every";
    domain = "example.org";
    hosts."10.0.0.1" = [ "hub.example.org" ];
    useDHCP = false;
    interfaces.eth0.ipv4.addresses = [
      {
        address = "10.0.0.2";
        prefixLength = 24;
      }
    ];
    firewall.allowedTCPPorts = [
      7422
      4222
      4222
    ];
    firewall.interfaces.eth0.allowedTCPPorts = [ 8222 ];
  };
  time.timeZone = "UTC";
  i18n.defaultLocale = "C.UTF-8";
  system.stateVersion = "24.11";
  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;
  boot.loader.grub.enable = false;
  boot.kernel.sysctl."net.core.somaxconn" = 1024;
  fileSystems."/" = {
    device = "/dev/disk/by-label/nixos";
    fsType = "ext4";
  };
  swapDevices = [ ];
  services.openssh.enable = true;
  services.openssh.settings.PermitRootLogin = "no";
  nix.settings.trusted-users = [ "@wheel" ];

  users.users.svc = {
    isSystemUser = true;
    group = "svc";
    description = "A service";
    home = "/var/lib/svc";
  };
  users.groups.svc = { };
  users.users.operator = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAA operator" ];
  };
  environment.etc = {
    "svc/text".text = "text\n";
    "svc/copied" = {
      text = "copied\n";
      mode = "0440";
      user = "svc";
      group = "svc";
    };
    "svc/package".source = pkgs.writeText "package" "package\n";
    "svc/off" = {
      enable = false;
      text = "";
    };
  };
  environment.systemPackages = [ pkgs.jq ];

  systemd.services = {
    svc = {
      description = "A service with everything";
      documentation = [ "https://example.org" ];
      wantedBy = [ "multi-user.target" ];
      requiredBy = [ "svc.target" ];
      after = [
        "network-online.target"
        "svc-other.service"
      ];
      wants = [ "network-online.target" ];
      requires = [ "svc-other.service" ];
      bindsTo = [ "svc.socket" ];
      partOf = [ "svc.target" ];
      before = [ "svc-late.service" ];
      conflicts = [ "svc-not.service" ];
      onFailure = [ "svc-failed@%n.service" ];
      startLimitIntervalSec = 60;
      startLimitBurst = 5;
      unitConfig.ConditionPathExists = [
        "/a"
        "!/b"
      ];
      environment = {
        PLAIN = "a \"quoted\" value";
        UNSET = null;
        PACKAGE = "${pkgs.jq}";
      };
      path = [
        pkgs.jq
        "/opt/svc"
      ];
      restartTriggers = [
        config.environment.etc."svc/text".source
        [ "nested" ]
        ./default.nix
      ];
      reloadTriggers = [ "reload" ];
      restartIfChanged = false;
      stopIfChanged = false;
      preStart = "echo before";
      script = "echo $1";
      scriptArgs = "%i";
      postStop = ''
        echo after
      '';
      serviceConfig = {
        Type = "notify";
        Restart = lib.mkDefault "always";
        RestartSec = 1.5;
        DynamicUser = false;
        User = config.users.users.svc.name;
        SystemCallFilter = [
          "@system-service"
          "~@privileged"
        ];
        CapabilityBoundingSet = "";
        LimitNOFILE = 65536;
      };
    };
    svc-hourly = {
      startAt = "hourly";
      serviceConfig.Type = "oneshot";
      serviceConfig.ExecStart = "${pkgs.coreutils}/bin/true";
    };
    "svc-template@" = {
      reloadIfChanged = true;
      reload = "echo reload";
      serviceConfig.ExecStart = lib.mkMerge [
        [ "/bin/a" ]
        [ "/bin/b" ]
      ];
    };
    svc-off.enable = false;
  };
  systemd.timers.svc-extra = {
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnBootSec = "5m";
      RandomizedDelaySec = 30;
    };
  };
  systemd.sockets.svc = {
    wantedBy = [ "sockets.target" ];
    listenStreams = [
      "/run/svc.sock"
      "4222"
    ];
    socketConfig.Accept = true;
  };
  systemd.paths.svc = {
    wantedBy = [ "multi-user.target" ];
    pathConfig.PathChanged = "/etc/svc";
  };
  systemd.targets.svc = {
    description = "All of it";
    after = [ "network.target" ];
  };
  systemd.slices.svc.sliceConfig.MemoryMax = "1G";
  systemd.tmpfiles.rules = [ "d /var/lib/svc 0750 svc svc -" ];
  systemd.tmpfiles.settings."10-svc"."/run/svc".d = {
    mode = "0750";
    user = "svc";
  };
}
