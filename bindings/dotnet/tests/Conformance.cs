using System;
using System.Collections.Generic;
using System.IO;
using Faultbook;

/// <summary>
/// Failures in, line by line from standard input; one decision line out for each.
///   Conformance pinvoke [RULES] | http ADDRESS | socket PATH
/// </summary>
internal static class Conformance
{
    private static int Main(string[] arguments)
    {
        string mode = arguments.Length > 0 ? arguments[0] : "";
        string where = arguments.Length > 1 ? arguments[1] : null;
        var patient = new FaultbookClientOptions
        {
            Timeout = TimeSpan.FromSeconds(30),
            Token = Environment.GetEnvironmentVariable("FAULTBOOK_TOKEN"),
        };
        IFaultbook faultbook;
        switch (mode)
        {
            case "pinvoke":
                faultbook = where == null ? FaultbookEngine.OpenBuiltIn() : FaultbookEngine.Open(where);
                break;
            case "http":
                faultbook = new FaultbookClient(where, patient);
                break;
            case "socket":
                faultbook = FaultbookClient.OverUnixSocket(where, patient);
                break;
            default:
                Console.Error.WriteLine("usage: Conformance pinvoke [RULES] | http ADDRESS | socket PATH");
                return 2;
        }
        using (faultbook)
        using (Stream input = new BufferedStream(Console.OpenStandardInput(), 1 << 16))
        using (Stream output = new BufferedStream(Console.OpenStandardOutput(), 1 << 16))
        {
            var line = new List<byte>();
            bool isFirst = true;
            int read;
            do
            {
                read = input.ReadByte();
                if (read >= 0 && read != '\n')
                {
                    line.Add((byte)read);
                    continue;
                }
                if (read < 0 && line.Count == 0)
                {
                    break;
                }
                if (isFirst && line.Count >= 3 && line[0] == 0xef && line[1] == 0xbb && line[2] == 0xbf)
                {
                    line.RemoveRange(0, 3);
                }
                isFirst = false;
                if (line.Count > 0 && line[line.Count - 1] == '\r')
                {
                    line.RemoveAt(line.Count - 1);
                }
                Decision decision = faultbook.ClassifyJson(line.ToArray());
                if (decision.UnknownReason == "unavailable")
                {
                    Console.Error.WriteLine(decision.Error);
                }
                byte[] json = new System.Text.UTF8Encoding(false).GetBytes(decision.Json + "\n");
                output.Write(json, 0, json.Length);
                line.Clear();
            }
            while (read >= 0);
        }
        return 0;
    }
}
