//go:build !linux

package main

func lowerPriority() error { return nil }
