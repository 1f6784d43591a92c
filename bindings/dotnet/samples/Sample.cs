using System;
using System.Net.Http;
using Faultbook;

/// <summary>A connector that fails, and asks what the failure is: in its own process, or a service at an address.</summary>
internal static class Sample
{
    private static int Main(string[] arguments)
    {
        IFaultbook open = arguments.Length > 0 ? (IFaultbook)new FaultbookClient(arguments[0]) : FaultbookEngine.OpenBuiltIn();
        using (IFaultbook faultbook = open)
        using (var partner = new HttpClient())
        {
            Show(faultbook, () => partner.GetAsync("http://127.0.0.1:1/").GetAwaiter().GetResult());
            Show(faultbook, () => partner.GetAsync("http://127.0.0.1:1/").Wait());
            Show(faultbook, () => { throw new CalendarFullException("no room on Friday"); });
        }
        return 0;
    }

    private static void Show(IFaultbook faultbook, Action call)
    {
        try
        {
            call();
        }
        catch (Exception exception)
        {
            Decision decision = faultbook.Classify(exception, new ClassifyOptions { Connector = "exchange", Operation = "create" });
            Console.WriteLine("{0} {1} {2}: {3}", decision.Code, decision.Status, decision.Retry, decision.Message);
        }
    }

    private sealed class CalendarFullException : Exception
    {
        public CalendarFullException(string message)
            : base(message)
        {
        }
    }
}
