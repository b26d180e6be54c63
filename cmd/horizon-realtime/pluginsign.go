package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"horizon-realtime/cmd/horizon-realtime/workshop"
)

func newPluginKeygen(p *pluginOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make a key to sign filters with",
		Long: `Make an Ed25519 key: the private half in FILE, to be kept secret, and the public half
on standard output, for [plugins] public_keys.`,
		Example: "  horizon-realtime plugin keygen signing.pem",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			public, err := workshop.NewKey(args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			result := struct {
				File      string `json:"file"`
				PublicKey string `json:"public_key"`
			}{args[0], public}
			return p.print(out, result, func() {
				fmt.Fprintf(out, "[plugins]\nrequire_signature = true\npublic_keys = [%q]\n", public)
			})
		},
	}
}

func newPluginSign(p *pluginOptions) *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use:   "sign FILE.wasm --key KEY",
		Short: "Sign a filter for routers that require it",
		Long: `Write FILE.wasm.sig, the detached Ed25519 signature that a router with
require_signature = true looks for beside the filter. KEY is what keygen made, or what
` + "`openssl genpkey -algorithm ed25519`" + ` prints.`,
		Example: "  horizon-realtime plugin sign 50-volumes.wasm --key signing.pem",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if key == "" {
				return &usageError{fmt.Errorf("--key is missing: name the private key; `%s` makes one", "horizon-realtime plugin keygen FILE")}
			}
			signature, err := workshop.Sign(args[0], key)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			return p.print(out, signature, func() {
				fmt.Fprintf(out, "%s: copy it along with the filter; its public key is %s\n", signature.File, signature.PublicKey)
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "the file with the private key")
	return cmd
}
