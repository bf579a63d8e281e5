# NixOS VM tests of the hosts in hosts/: every other file here is one, found by readDir, never listed.
#
# They boot where Nix has KVM. Without nixpkgs' binaries their nodes are built and their scripts read: ../standin.
{
  self,
  lib,
  pkgs,
  inputs,
  ...
}:
let
  # hosts/ has the public halves of keys only, so that the tests log in as somebody whom no host of hosts/ knows. The
  # password is no secret, for it opens nothing but a virtual machine that nobody outside the test reaches. A key in its
  # place would have to be made before evaluation, and then stand in git.
  password = "vm-test";
  client.CIM.users.vm-test.passwordHash =
    "$2a$11$L9vSm7L93TJhnuLFRr.e5OCZ2dcqrmn698TdAfDGmtREqUCWsvK06";
  fleet = self.lib.mkFleet {
    imports = [ ../../hosts/fleet.nix ];
    accounts = client;
  };
  inherit (import ../../modules/spec.nix { inherit lib; }) unitName;

  # Where the scripts put what sops-nix would decrypt.
  secrets = "/var/lib/vm-test";

  # A host of hosts/, whole, with its file systems and boot loader: the framework overrides those.
  host = name: {
    imports = [
      self.nixosModules.default
      inputs.sops-nix.nixosModules.sops
      ../../hosts/base.nix
      (../../hosts + "/${name}.nix")
      (
        { pkgs, ... }:
        {
          # With it the machines find each other by the addresses in the fleet.
          networking.domain = "cim.example.com";
          services.cim = {
            inherit fleet;
            leaves = lib.optionalAttrs (fleet.leaves ? ${name}) { ${name}.accounts = client; };
          };
          environment.systemPackages = [
            pkgs.curl
            pkgs.natscli
            pkgs.nkeys
            pkgs.openssl
          ];
          # At each boot, for /run is empty then; a file that is not there yet is passed over.
          systemd.tmpfiles.settings.vm-test =
            let
              copied = file: mode: {
                C = {
                  inherit mode;
                  user = unitName name;
                  group = unitName name;
                  argument = "${secrets}/${file}";
                };
              };
            in
            {
              "/run/secrets".d.mode = "0751";
              "/etc/ssl/certs/cim-ca.pem" = copied "cim-ca.pem" "0444";
            }
            // lib.genAttrs' [ "pem" "key" "nk" ] (kind: {
              name = "/run/secrets/${name}.${kind}";
              value = copied "${name}.${kind}" "0400";
            });
        }
      )
    ];
  };

  # What the scripts share. They make certificates while they run: openssl on one machine signs for all.
  prelude = ''
    import shlex

    SECRETS = "${secrets}"
    AUTHORITY = "/root/authority"


    def certify(authority, name):
        """A new certificate for a host: the contents of its files, by name."""
        new = f"cd {AUTHORITY} && openssl req -x509 -days 1 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        authority.succeed(
            f"mkdir -p -m 0700 {AUTHORITY}",
            f"test -e {AUTHORITY}/cim-ca.pem || ({new} -subj /CN=vm-test -keyout ca.key -out cim-ca.pem)",
            f"{new} -CA cim-ca.pem -CAkey ca.key -subj /CN={name} -keyout {name}.key -out {name}.pem"
            f" -addext subjectAltName=DNS:{name}.cim.example.com"
            " -addext extendedKeyUsage=serverAuth,clientAuth -addext basicConstraints=critical,CA:FALSE",
        )
        files = ["cim-ca.pem", f"{name}.pem", f"{name}.key"]
        return {file: authority.succeed(f"cat {AUTHORITY}/{file}") for file in files}


    def give(machine, files):
        """Puts files where the next boot finds them, and in their places now."""
        machine.succeed(f"mkdir -p -m 0700 {SECRETS}")
        for file, content in files.items():
            machine.succeed(f"printf %s {shlex.quote(content)} > {SECRETS}/{file}")
        machine.succeed("systemd-tmpfiles --create vm-test.conf")


    def joined(hub, leaf):
        """Gives the two what they wait for, and waits for the link."""
        for machine, name in [(hub, "hub-1"), (leaf, "cim-prod-002")]:
            give(machine, certify(hub, name))
        hub.wait_for_unit("cim-hub-1.service")
        leaf.wait_for_unit("cim-prod-002.service")
        linked(hub)


    def linked(hub):
        """Waits until the hub lists the leaf."""
        hub.wait_until_succeeds("curl -sf http://127.0.0.1:8222/leafz | grep -w cim-prod-002")


    def crosses(hub, leaf, token):
        """Publishes at the leaf, and waits at the hub for what the fleet lets cross: metrics, but no domain."""
        client = "nats --user vm-test --password ${password}"
        hub.succeed(
            f"systemd-run --unit=heard-{token} --setenv=HOME=/root {client} --tlsca /etc/ssl/certs/cim-ca.pem"
            f" --server tls://hub-1.cim.example.com:4222 subscribe '*.{token}'"
        )
        leaf.wait_until_succeeds(f"curl -sf 'http://127.0.0.1:8222/leafz?subs=1' | grep -F '*.{token}'")
        for subject in ["domain", "metrics"]:
            leaf.succeed(f"{client} --server nats://127.0.0.1:4222 publish {subject}.{token} x")
        hub.wait_until_succeeds(f"journalctl --unit heard-{token} | grep -F metrics.{token}")
        hub.fail(f"journalctl --unit heard-{token} | grep -F domain.{token}")
  '';

  notTests = [ "default.nix" ];
  files = lib.filterAttrs (file: _: !(lib.elem file notTests)) (builtins.readDir ./.);
  test =
    name: file:
    pkgs.testers.runNixOSTest (
      import file { inherit host prelude; }
      // {
        _file = toString file;
        name = "cim-${name}";
      }
    );
in
lib.mapAttrs' (
  file: _:
  let
    name = lib.removeSuffix ".nix" file;
  in
  lib.nameValuePair "vm-${name}" (test name (./. + "/${file}"))
) files
