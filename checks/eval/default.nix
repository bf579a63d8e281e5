# What `cargo xtask test` evaluates beside the flake's checks: the flake under the stand-in, and one small host that is
# changed in many ways.
#
# Not a check of the flake: a new case is a new attribute in changes/, messages/ or monitoring/, or a new file in refusals/ or
# identities/.
{
  # The folder that holds a stand-in for each input of the flake.
  standin,
}:
let
  outputs =
    name: arguments:
    (import (standin + "/${name}/flake.nix")).outputs arguments // { outPath = standin + "/${name}"; };
  nixpkgs = outputs "nixpkgs" { };
  inputs = {
    inherit nixpkgs;
  }
  // lib.genAttrs [ "crane" "deploy-rs" "sops-nix" "treefmt-nix" ] (
    name: outputs name { inherit nixpkgs; }
  );
  self = (import ../../flake.nix).outputs (inputs // { inherit self; }) // {
    inherit inputs;
    outPath = ../..;
  };

  inherit (nixpkgs) lib;
  system = "x86_64-linux";
  pkgs = nixpkgs.legacyPackages.${system};
  casesIn =
    folder:
    lib.concatMapAttrs (file: _: import (folder + "/${file}") { inherit lib inputs; }) (
      builtins.readDir folder
    );

  # The small host with a change: modules for the fleet and for the host.
  changed =
    {
      fleet ? { },
      host ? { },
      ...
    }:
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        ./host.nix
        host
        {
          nixpkgs.hostPlatform = system;
          services.cim.fleet = self.lib.mkFleet {
            imports = [
              ./fleet.nix
              fleet
            ];
          };
        }
      ];
    };

  # Every change, with the host's configuration after it.
  changes = lib.mapAttrs (
    _: change:
    change
    // {
      after = together (change.before or { }) change;
    }
  ) (casesIn ./changes);

  # A host with what an identity gives it: modules for the fleet and for the host; `sops`: whether sops-nix is imported.
  identities = lib.mapAttrs' (
    file: _:
    lib.nameValuePair (lib.removeSuffix ".nix" file) (
      let
        case = import (./identities + "/${file}");
      in
      sealed (if lib.isFunction case then case { inherit lib; } else case)
    )
  ) (builtins.readDir ./identities);
  sealed =
    {
      fleet ? { },
      host ? { },
      sops ? true,
    }:
    let
      made = self.lib.mkFleet {
        imports = [
          ./sealed/fleet.nix
          fleet
        ];
      };
    in
    lib.nixosSystem {
      modules = [
        self.nixosModules.default
        ./sealed/host.nix
        host
        {
          nixpkgs.hostPlatform = system;
          services.cim.fleet = made;
        }
      ]
      ++ lib.optional sops inputs.sops-nix.nixosModules.sops;
    };

  # The template, as an operator's flake: before anything is made.
  template =
    let
      operator =
        (import ../../hosts/template/flake.nix).outputs {
          self = operator;
          cim = self;
          inherit nixpkgs;
          inherit (inputs) deploy-rs sops-nix;
        }
        // {
          lastModified = 1790000000;
        };
    in
    operator;

  describe = import ./describe.nix { inherit lib; };
  small = change: (changed change).config;
  unchanged = small { };
  together =
    first: second:
    small {
      fleet.imports = map (change: change.fleet or { }) [
        first
        second
      ];
      host.imports = map (change: change.host or { }) [
        first
        second
      ];
    };
  refusals = lib.mapAttrs' (
    file: _: lib.nameValuePair (lib.removeSuffix ".nix" file) (import (./refusals + "/${file}"))
  ) (builtins.readDir ./refusals);
in
{
  # Of every host in hosts/: what it would install, for the golden files.
  hosts = lib.mapAttrs (
    _: host:
    describe.units host.config
    // {
      summary = describe.summary host.config // {
        endpoints = self.lib.endpoints host;
      };
    }
  ) self.nixosConfigurations;

  # All hosts, built.
  toplevels = pkgs.linkFarm "cim-hosts" (
    lib.mapAttrs (_: host: host.config.system.build.toplevel) self.nixosConfigurations
  );

  # The flake's checks, but for those of the source text; and of these the cheapest that tells the most.
  checks = pkgs.linkFarm "cim-checks" (removeAttrs self.checks.${system} [ "formatting" ]);
  knot = self.checks.${system}.spec;

  cases = {
    # Compared with expected.json.
    answers = {
      # Of every change, by instance: what is different after it, and which ports are open if those are.
      changes = lib.mapAttrs (
        _: change:
        describe.differences (if change ? before then small change.before else unchanged) change.after
      ) changes;
      # Of every host that somebody should hear about: what they hear.
      messages = lib.mapAttrs (_: change: describe.messages (small change)) (casesIn ./messages);
      # Of hosts that are monitored: what nixpkgs' own modules are told.
      monitoring = lib.mapAttrs (_: change: describe.monitoring (small change)) (casesIn ./monitoring);
      # What a host is deployed with, and how long the desk waits for it.
      deployments =
        lib.mapAttrs
          (
            _: gate:
            let
              deployed = self.lib.deploy {
                inherit (inputs) deploy-rs;
                hosts = {
                  host = changed { host.services.cim = { inherit gate; }; };
                  # One that runs no NATS.
                  other = lib.nixosSystem { modules = [ ../../hosts/base.nix ]; };
                };
              };
            in
            {
              inherit (deployed) targets;
              nodes = lib.mapAttrs (_: node: {
                inherit (node) activationTimeout;
                inherit (node.profiles.system.path) name;
              }) deployed.nodes;
            }
          )
          {
            "a gate as it is by default" = { };
            "a gate that waits for long" = {
              wait = "3m";
            };
            "no gate" = {
              enable = false;
            };
          };
      # Of every host with an identity: the files that it gets, and what has to be made for them.
      identities = lib.mapAttrs (
        _: host:
        let
          inherit (host.config.services.cim) fleet;
          plan = self.lib.identity {
            inherit fleet;
            hosts.host = host;
          };
        in
        describe.identity host.config
        // {
          fleet = describe.filled fleet;
          plan = plan.hosts;
          # Made or not, the plan is the same.
          planKnows = lib.filter (text: text != null) (
            map (account: account.jwt) (lib.attrValues plan.fleet.accounts)
            ++ map (leaf: leaf.nkey) (lib.attrValues plan.fleet.leaves)
          );
        }
      ) identities;
      template = {
        hosts = lib.mapAttrs (_: host: describe.identity host.config) template.nixosConfigurations;
        # What its fleet.nix says of durable flows in a comment, taken at its word.
        durable =
          let
            text = lib.replaceStrings [ "exports = [ \"metrics.>\" ];" "# exports =" ] [ "" "exports =" ] (
              builtins.readFile ../../hosts/template/fleet.nix
            );
            flow = lib.head (self.lib.mkFleet (builtins.toFile "fleet.nix" text)).leaves.plant-a.exports;
          in
          {
            inherit (flow) subject;
            inherit (flow.durable) longestPartition rate;
          };
        # Two hosts that could read each other's secrets.
        sharedFileIsPlanned =
          (builtins.tryEval (
            self.lib.identity {
              inherit (identities.operator.config.services.cim) fleet;
              hosts = lib.genAttrs [ "one" "other" ] (_: identities.operator);
            }
          )).success;
        outputs = lib.genAttrs [ "packages" "apps" "checks" ] (
          output: lib.mapAttrs (_: lib.attrNames) template.${output}
        );
        # When the check of expiry is asked about: the flake's own time.
        asksAt = lib.concatLists (
          lib.filter lib.isList (
            builtins.split "--at ([0-9]+)" (lib.last template.checks.${system}.expiry.args)
          )
        );
      };
    };
    # The specs before and after every change: `cim-render diff` has to say of them what the answers say.
    specs = lib.mapAttrs (_: change: {
      before = describe.specs (if change ? before then small change.before else unchanged);
      after = describe.specs change.after;
    }) changes;
    # The units after every change: their text has to follow the options.
    units = lib.mapAttrs (_: change: describe.units change.after) changes;
  };

  # The specs of the small host where its account holds what a file of options says: what `cim-provision import --nix` wrote.
  imported =
    file:
    describe.specs (small {
      fleet.accounts.CIM = import file;
    });

  # Every option, for docs/OPTIONS.md.
  options = import ./options.nix {
    inherit lib;
    host = (changed { }).options;
    fleet = ../../modules/fleet.nix;
  };

  # Of each spec in a file, with its role and its nats-server: for what its unit restarts.
  restarts =
    let
      triggers = import ../../modules/triggers.nix { inherit lib; };
    in
    file: map (case: (triggers case).restart) (lib.importJSON file);

  # Hosts that must not build, what must stand in the error, and what must not.
  refused = lib.mapAttrs (_: refusal: {
    inherit (refusal) says;
    hides = refusal.hides or [ ];
  }) refusals;
  refusals = lib.mapAttrs (_: refusal: (small refusal).system.build.toplevel) refusals;
}
// import ./real.nix {
  inherit
    lib
    pkgs
    system
    inputs
    self
    describe
    identities
    ;
}
