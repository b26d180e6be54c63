//go:build !unix

package plugin

import "errors"

func reserve(uint64) ([]byte, error) { return nil, errors.ErrUnsupported }

func unreserve([]byte) {}
