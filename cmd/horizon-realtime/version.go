package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"horizon-realtime/sdk/abi"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "horizon-realtime %s (plugin ABI %d, %s, %s/%s)\n",
				version, abi.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
