# The hub: one server. Its certificate comes from identity/, its key from secrets/hub.yaml.
{
  networking.hostName = "hub";

  services.cim.hub = {
    enable = true;
    openFirewall = true;
    leafnodes.openFirewall = true;
  };
  # Its Prometheus reads what cim-health finds.
  # services.cim.monitoring.enable = true;

  # For whom secrets/hub.yaml is encrypted: ssh-keyscan -t ed25519 hub.example.com
  # services.cim.sops.hostKey = "ssh-ed25519 AAAA…";
}
