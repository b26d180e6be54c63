package main

import (
	"context"
	"os"
	"testing"
)

// root is the top of the source tree.
const root = "../.."

// opened are the stock plugins, which all tests share: compiling them takes
// seconds. No test runs beside another.
var opened *stock

func TestMain(m *testing.M) {
	code := m.Run()
	if opened != nil {
		opened.close()
	}
	os.Exit(code)
}

func tables(t *testing.T) (*services, []golden, *stock) {
	t.Helper()
	s, err := readServices()
	if err != nil {
		t.Fatal(err)
	}
	cases, err := readCases(root)
	if err != nil {
		t.Fatal(err)
	}
	if opened == nil {
		if opened, err = open(context.Background(), root); err != nil {
			t.Fatal(err)
		}
	}
	return s, cases, opened
}
