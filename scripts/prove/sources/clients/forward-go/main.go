// forward PORT TAG FIRST COUNT [ack|async]: numbered records over one connection of the forward protocol.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	if err := send(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func send(args []string) error {
	if len(args) < 4 {
		return fmt.Errorf("usage: forward PORT TAG FIRST COUNT [ack|async]")
	}
	numbers := make([]int, 0, 3)
	for _, text := range []string{args[0], args[2], args[3]} {
		number, err := strconv.Atoi(text)
		if err != nil {
			return err
		}
		numbers = append(numbers, number)
	}
	port, first, count := numbers[0], numbers[1], numbers[2]
	mode := append(args, "")[4]
	logger, err := fluent.New(fluent.Config{
		FluentHost:         "127.0.0.1",
		FluentPort:         port,
		RequestAck:         mode == "ack",
		Async:              mode == "async",
		SubSecondPrecision: true,
		WriteTimeout:       30 * time.Second,
		ReadTimeout:        30 * time.Second,
	})
	if err != nil {
		return err
	}
	for n := first; n < first+count; n++ {
		if err := logger.Post(args[1], map[string]interface{}{"n": n, "text": "from Go, Grüße"}); err != nil {
			return fmt.Errorf("record %d: %w", n, err)
		}
	}
	return logger.Close()
}
