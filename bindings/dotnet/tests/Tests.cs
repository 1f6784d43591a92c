using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Net;
using System.Net.Http;
using System.Net.Sockets;
using System.Reflection;
using System.Text;
using System.Threading;
using Faultbook;
using Microsoft.Data.SqlClient;
using Microsoft.Graph.Models.ODataErrors;
using Microsoft.Identity.Client;

/// <summary>
/// Real exceptions, thrown and caught, through every way; then what only one way has.
///   Tests decisions pinvoke [RULES] | decisions http ADDRESS | decisions socket PATH
///   Tests engine RULES      (a copy that may be changed)
///   Tests faults DIRECTORY  (for sockets)
///   Tests restart FAULTBOOK DIRECTORY
///   Tests surface NETSTANDARD.DLL
/// </summary>
internal static class Tests
{
    private static int failed;
    private static int passed;

    private static int Main(string[] arguments)
    {
        switch (arguments[0])
        {
            case "decisions":
                using (IFaultbook faultbook = Open(arguments[1], arguments.Length > 2 ? arguments[2] : null))
                {
                    Decisions(faultbook);
                    Odd(faultbook);
                    Threads(faultbook);
                }
                break;
            case "engine":
                Engines(arguments[1]);
                break;
            case "faults":
                Faults(arguments[1]);
                break;
            case "restart":
                Restart(arguments[1], arguments[2]);
                break;
            case "surface":
                Surface(arguments[1]);
                break;
            default:
                return 2;
        }
        Console.WriteLine("{0}: {1} passed, {2} failed", string.Join(" ", arguments), passed, failed);
        return failed == 0 ? 0 : 1;
    }

    private static IFaultbook Open(string way, string where)
    {
        var options = new FaultbookClientOptions { Timeout = TimeSpan.FromSeconds(20) };
        switch (way)
        {
            case "http":
                return new FaultbookClient(where, options);
            case "socket":
                return FaultbookClient.OverUnixSocket(where, options);
            default:
                return where == null ? FaultbookEngine.OpenBuiltIn() : FaultbookEngine.Open(where);
        }
    }

    private static void Check(string what, bool holds, object seen)
    {
        if (holds)
        {
            passed++;
            return;
        }
        failed++;
        Console.WriteLine("FAILED {0}\n  {1}", what, seen);
    }

    private static Exception Caught(Action call)
    {
        try
        {
            call();
        }
        catch (Exception exception)
        {
            return exception;
        }
        throw new InvalidOperationException("nothing was thrown");
    }

    private static Decision Gives(IFaultbook faultbook, string what, string code, Exception exception, ClassifyOptions options = null)
    {
        Decision decision = faultbook.Classify(exception, options);
        Check(what + " is " + code, decision.Code == code && decision.Ruleset.StartsWith("sha256:"), decision.Json);
        return decision;
    }

    private static ClassifyOptions From(string connector, string operation = null)
    {
        return new ClassifyOptions { Connector = connector, Operation = operation, Id = "tx-1" };
    }

    /// <summary>What connectors really catch.</summary>
    private static void Decisions(IFaultbook faultbook)
    {
        using (var partner = new HttpClient())
        {
            const string Closed = "http://127.0.0.1:1/";
            Exception refused = Caught(() => partner.GetAsync(Closed).GetAwaiter().GetResult());
            Check("a refused connection is an HttpRequestException", refused is HttpRequestException, refused);
            Check("that wraps a SocketException", refused.GetBaseException() is SocketException, refused.GetBaseException());
            Decision decision = Gives(faultbook, "refused", "DSEX040", refused, From("exchange"));
            Check("its id is echoed", decision.Id == "tx-1", decision.Json);
            Check("it is retried", decision.Retry == RetryClass.Retried && decision.Action == RequiredAction.Wait, decision.Json);
            Check("its message has the code in front", decision.Message.StartsWith("[DSEX040] "), decision.Message);
            Gives(faultbook, "refused, shared", "DSHTTP001", refused);
            Exception aggregate = Caught(() => partner.GetAsync(Closed).Wait());
            Check("a task's exception is an aggregate", aggregate is AggregateException, aggregate);
            Gives(faultbook, "refused in an aggregate", "DSEX040", aggregate, From("exchange"));
        }
        Exception unknown = Caught(() => { throw new CalendarFullException("no room on Friday"); });
        Decision undiagnosed = Gives(faultbook, "a type of our own", "DSUNK001", unknown, From("exchange"));
        Check("its message is kept", undiagnosed.Message == "[DSUNK001] no room on Friday", undiagnosed.Message);
        Check("its reason is no-rule", undiagnosed.UnknownReason == "no-rule" && undiagnosed.Error == null, undiagnosed.Json);
        Check("its stack trace belongs into the log", undiagnosed.LogStackTrace && undiagnosed.Retry == RetryClass.Undiagnosed, undiagnosed.Json);
        Check("it is a fallback", undiagnosed.Rule == "fallback" && undiagnosed.Action == RequiredAction.ContactSupport, undiagnosed.Json);

        Exception deadlock = Caught(() =>
        {
            try
            {
                throw new SqlException("Transaktion (Prozess-ID 60) ...", 3930, 1205);
            }
            catch (Exception inner)
            {
                throw new InvalidOperationException("likely due to a transient failure", inner);
            }
        });
        Gives(faultbook, "a deadlock by the second of its numbers", "DSDB001", deadlock);
        Gives(faultbook, "a SQL timeout by its number", "DSDB004", new SqlException("Délai", -2));

        var expired = new MsalServiceException("invalid_client", "A configuration issue. Original exception: AADSTS7000222: "
            + "The provided client secret keys for app '1b2c' are expired.", 401);
        Decision secret = Gives(faultbook, "an expired secret", "DSEX001", expired, From("exchange"));
        string client;
        Check("its client is captured", secret.Captures.TryGetValue("client_id", out client) && client == "1b2c", secret.Json);
        Check("somebody fixes it", secret.Retry == RetryClass.FixConfig && secret.Status == "InvalidBackOfficeSettings", secret.Json);
        Gives(faultbook, "invalid_client by the code alone", "DSEX005", new MsalServiceException("invalid_client", "?", 401), From("exchange"));
        Gives(faultbook, "a throttled token endpoint by its status", "DSEX040", new MsalServiceException("service_not_available", "?", 503), From("exchange"));

        var gone = new ODataError { ResponseStatusCode = 404, Error = new MainError { Code = "ErrorItemNotFound" } };
        Gives(faultbook, "an event that is gone", "DSEX021", gone, From("exchange", "delete"));
        Gives(faultbook, "the same on an update", "DSUNK001", gone, From("exchange", "update"));
        Gives(faultbook, "status of a newer HttpRequestException", "DSCFG008", new StatusException(HttpStatusCode.Unauthorized), From("webhook"));
        Gives(faultbook, "status of the options wins", "DSWBHK020", new StatusException(HttpStatusCode.Unauthorized),
            new ClassifyOptions { Connector = "webhook", HttpStatus = 404 });
        Gives(faultbook, "a provider code of the options", "DSEX001", null,
            new ClassifyOptions { Connector = "exchange", ProviderCodes = new[] { "AADSTS7000222" } });

        // What wraps it is known only by its ancestors.
        Gives(faultbook, "a type of our own that is a TimeoutException", "DSWBHK010", new SlowPartnerException(), From("webhook"));

        var exhausted = new StatusException(HttpStatusCode.ServiceUnavailable);
        exhausted.Data["retries_exhausted"] = true;
        Gives(faultbook, "an entry of Data", "DSWBHK020", exhausted, From("webhook"));
        exhausted.Data["retries_exhausted"] = false;
        Gives(faultbook, "another one", "DSHTTP001", exhausted, From("webhook"));
        Gives(faultbook, "an attribute of the options wins", "DSWBHK020", exhausted, new ClassifyOptions
        {
            Connector = "webhook",
            Attributes = new Dictionary<string, object> { { "retries_exhausted", true } },
        });

        using (var server = new Server(Loopback(), Behavior.Unavailable))
        {
            Exception web = Caught(() => WebRequest.Create(server.Address).GetResponse());
            Check("HttpWebRequest throws a WebException", web is WebException, web);
            Gives(faultbook, "the status of its reply", "DSWBHK020", web, From("webhook"));
        }

        Gives(faultbook, "the first of two statuses", "DSCFG008", new AggregateException(
            new StatusException(HttpStatusCode.Unauthorized), new StatusException(HttpStatusCode.BadGateway)), From("webhook"));

        string json = "{\"connector\":\"exchange\",\"provider_codes\":[\"AADSTS7000215\"]}";
        Check("JSON as text", faultbook.ClassifyJson(json).Code == "DSEX002", "");
        Check("JSON as bytes", faultbook.ClassifyJson(Encoding.UTF8.GetBytes(json)).Code == "DSEX002", "");
    }

    /// <summary>Whatever comes, there is an answer.</summary>
    private static void Odd(IFaultbook faultbook)
    {
        Gives(faultbook, "nothing at all", "DSUNK001", null);
        Check("nothing is empty", faultbook.Classify(null).UnknownReason == "empty", faultbook.Classify(null).Json);
        foreach (string json in new[] { null, "", "nonsense", "[]x", "{\"id\":1", "\ud800" })
        {
            Decision decision = faultbook.ClassifyJson(json);
            Check("no JSON", decision.Code == "DSUNK001" && decision.UnknownReason == "unreadable" && decision.Error != null, decision.Json);
        }
        Decision bytes = faultbook.ClassifyJson(new byte[] { (byte)'{', 0xff, (byte)'}' });
        Check("bytes that are no text", bytes.UnknownReason == "unreadable", bytes.Json);

        Exception deep = new SqlException("at the bottom", 1205);
        for (int i = 0; i < 3000; i++)
        {
            deep = new InvalidOperationException("level " + i, deep);
        }
        Gives(faultbook, "a deep chain, by the innermost", "DSDB001", deep);
        for (int i = 0; i < 100000; i++)
        {
            deep = new InvalidOperationException("level " + i, deep);
        }
        Decision deeper = Gives(faultbook, "a chain without end", "DSUNK001", deep);
        Check("is said to be cut", deeper.UnknownReason == "truncated", deeper.Json);

        var one = new InvalidOperationException("one");
        var two = new InvalidOperationException("two", one);
        FieldInfo inner = typeof(Exception).GetField("_innerException", BindingFlags.NonPublic | BindingFlags.Instance);
        inner.SetValue(one, two);
        Gives(faultbook, "a chain that bites its tail", "DSUNK001", two);
        inner.SetValue(one, one);
        Gives(faultbook, "an exception that wraps itself", "DSUNK001", one);

        var wide = new List<Exception>();
        for (int i = 0; i < 10000; i++)
        {
            wide.Add(new CalendarFullException("branch " + i));
        }
        wide.Add(new SqlException("the last", 1205));
        Gives(faultbook, "more branches than are looked at", "DSUNK001", new AggregateException(wide));
        Gives(faultbook, "aggregates in aggregates", "DSDB001",
            new AggregateException(new CalendarFullException("a"), new AggregateException(new AggregateException(new SqlException("x", 1205)))));

        Decision hostile = Gives(faultbook, "getters that throw", "DSUNK001", new HostileException(), new ClassifyOptions { IncludeStackTrace = true });
        Check("and it was the engine that answered", hostile.UnknownReason == "no-rule", hostile.Json);
        Gives(faultbook, "getters that throw beside one that is known", "DSDB001", new AggregateException(new HostileException(), new SqlException("x", 1205)));

        Decision half = Gives(faultbook, "half a pair of surrogates", "DSUNK001", new CalendarFullException("x\ud800y\0z\"\\\u2028!"));
        Check("is replaced", half.Message == "[DSUNK001] x\ufffdy\0z\"\\\u2028!", half.Json);
        Decision big = Gives(faultbook, "a message of ten million characters", "DSUNK001", new CalendarFullException(new string('x', 10000000)));
        Check("is cut", big.UnknownReason == "truncated", big.UnknownReason);
        Gives(faultbook, "pairs that are whole", "DSUNK001", new CalendarFullException("\U0001f600"));
    }

    private static void Threads(IFaultbook faultbook)
    {
        var kinds = new Dictionary<string, Exception>
        {
            { "DSDB001", new SqlException("x", 1205) },
            { "DSDB004", new SqlException("x", -2) },
            { "DSEX001", new MsalServiceException("invalid_client", "AADSTS7000222: expired", 401) },
            { "DSUNK001", new CalendarFullException("x") },
        };
        int wrong = 0;
        var threads = new List<Thread>();
        for (int i = 0; i < 8; i++)
        {
            var thread = new Thread(() =>
            {
                for (int round = 0; round < 100; round++)
                {
                    foreach (KeyValuePair<string, Exception> kind in kinds)
                    {
                        Decision decision = faultbook.Classify(kind.Value, From("exchange"));
                        if (decision.Code != kind.Key || decision.Error != null)
                        {
                            Interlocked.Increment(ref wrong);
                        }
                    }
                }
            });
            thread.Start();
            threads.Add(thread);
        }
        threads.ForEach(thread => thread.Join());
        Check("8 threads, 3200 answers, all right", wrong == 0, wrong);
        Stopwatch time = Stopwatch.StartNew();
        for (int i = 0; i < 1000; i++)
        {
            faultbook.Classify(kinds["DSDB001"]);
        }
        Console.WriteLine("one answer after the other: {0:0.0} us each", time.Elapsed.TotalMilliseconds);
    }

    /// <summary>Opening, reloading and closing.</summary>
    private static void Engines(string rules)
    {
        Check("a version", FaultbookEngine.LibraryVersion.Length >= 5, FaultbookEngine.LibraryVersion);
        var missing = Caught(() => FaultbookEngine.Open("/nowhere/at-all")) as FaultbookException;
        Check("no such rules", missing != null && missing.Kind == "rejected" && missing.Report.Contains("unreadable-file"), missing);
        foreach (string odd in new[] { null, "a\0b" })
        {
            var invalid = Caught(() => FaultbookEngine.Open(odd)) as FaultbookException;
            Check("no path", invalid != null && invalid.Kind == "invalid-options" && invalid.Report == null, invalid);
        }
        string file = Path.Combine(rules, "new.toml");
        string good = File.ReadAllText(file);
        using (FaultbookEngine engine = FaultbookEngine.Open(rules))
        {
            EngineStatus status = engine.Status;
            Check("status", status.Generation == 1 && status.Source == "directory" && status.Watch == "off" && status.Rules == 1 && status.Codes == 2, status.Json);
            Check("report", engine.LastReport.Contains("\"errors\":0"), engine.LastReport);
            Check("unchanged", engine.Reload().Outcome == "unchanged", engine.Status.Json);
            int wrong = 0;
            bool isOver = false;
            var threads = new List<Thread>();
            for (int i = 0; i < 4; i++)
            {
                var thread = new Thread(() =>
                {
                    while (!Volatile.Read(ref isOver))
                    {
                        Decision decision = engine.Classify(new CalendarFullException("lost link 7"));
                        bool isOne = decision.Message == "[DSNEW001] set one saw 7";
                        bool isTwo = decision.Message == "[DSNEW001] set two saw 7";
                        Interlocked.Add(ref wrong, isOne == isTwo ? 1 : 0);
                    }
                });
                thread.Start();
                threads.Add(thread);
            }
            for (int i = 0; i < 4; i++)
            {
                File.WriteAllText(file, i % 2 == 0 ? good.Replace("set one", "set two") : good);
                ReloadOutcome swapped = engine.Reload();
                Check("swapped under load", swapped.Outcome == "swapped" && swapped.Generation == i + 2, swapped.Json);
            }
            File.WriteAllText(file, good.Replace("code = \"DSNEW001\"", "code = \"DSNEW002\""));
            ReloadOutcome rejected = engine.Reload();
            Check("rejected", rejected.IsRejected && rejected.Generation == 5 && rejected.Error != null && rejected.Json.Contains("unknown-code"), rejected.Json);
            Check("the report says why", engine.LastReport.Contains("unknown-code"), engine.LastReport);
            Volatile.Write(ref isOver, true);
            threads.ForEach(thread => thread.Join());
            Check("every answer was of one set", wrong == 0, wrong);
            var broken = Caught(() => FaultbookEngine.Open(rules)) as FaultbookException;
            Check("broken rules do not open", broken != null && broken.Report.StartsWith("{\"version\":1,") && broken.Report.EndsWith("}"), broken);
            using (FaultbookEngine fallback = FaultbookEngine.Open(new EngineOptions { Rules = rules, AllowFallbackOnly = true }))
            {
                Check("fallback only", fallback.Status.Source == "fallback-only", fallback.Status.Json);
            }
            File.WriteAllText(file, good);
        }
        using (FaultbookEngine watching = FaultbookEngine.Open(new EngineOptions { Rules = rules, Watch = true }))
        {
            File.WriteAllText(file, good.Replace("set one", "set two"));
            Stopwatch time = Stopwatch.StartNew();
            while (watching.Status.Generation == 1 && time.Elapsed < TimeSpan.FromSeconds(20))
            {
                Thread.Sleep(20);
            }
            Check("a watched change is noticed", watching.Status.Generation == 2, watching.Status.Json);
        }
        var closed = FaultbookEngine.OpenBuiltIn();
        var users = new List<Thread>();
        int odd2 = 0;
        for (int i = 0; i < 4; i++)
        {
            var user = new Thread(() =>
            {
                Decision decision;
                do
                {
                    decision = closed.Classify(new SqlException("x", 1205));
                    Interlocked.Add(ref odd2, decision.Code == "DSDB001" || decision.Error == "the engine is disposed" ? 0 : 1);
                }
                while (decision.Code == "DSDB001");
            });
            user.Start();
            users.Add(user);
        }
        Thread.Sleep(50);
        closed.Dispose();
        closed.Dispose();
        users.ForEach(user => user.Join());
        Check("closed under load", odd2 == 0, odd2);
        Decision late = closed.Classify(new CalendarFullException("too late"), From("exchange"));
        Check("a closed engine answers", late.Message == "[DSUNK001] too late" && late.UnknownReason == "unavailable"
            && late.Error == "the engine is disposed" && late.Id == "tx-1", late.Json);
        Check("a closed engine has no status", Caught(() => closed.Status.ToString()) is ObjectDisposedException, "");

        // On a stack of its own, so that nothing points to them any more.
        var forgetful = new Thread(() =>
        {
            for (int i = 0; i < 3; i++)
            {
                FaultbookEngine.OpenBuiltIn().Classify(null);
            }
        });
        forgetful.Start();
        forgetful.Join();
        for (int i = 0; i < 50 && Alive() > 0; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(20);
        }
        Check("no native engine is left", Alive() == 0, Alive());
    }

    private static int Alive()
    {
        Type handle = typeof(FaultbookEngine).Assembly.GetType("Faultbook.EngineHandle");
        return (int)handle.GetProperty("Alive", BindingFlags.Public | BindingFlags.Static).GetValue(null, null);
    }

    /// <summary>A service that is down, slow or talks nonsense never becomes the connector's own failure.</summary>
    private static void Faults(string directory)
    {
        var timeout = TimeSpan.FromMilliseconds(400);
        var options = new FaultbookClientOptions { Timeout = timeout, Token = "secret" };
        int number = 0;
        foreach (Behavior behavior in Enum.GetValues(typeof(Behavior)))
        {
            string path = Path.Combine(directory, "s" + number++);
            using (var tcp = new Server(Loopback(), behavior))
            using (var unix = new Server(UnixEndPoint(path), behavior))
            using (var overTcp = new FaultbookClient(tcp.Address, options))
            using (var overUnix = FaultbookClient.OverUnixSocket(path, options))
            {
                foreach (FaultbookClient client in new[] { overTcp, overUnix })
                {
                    string what = behavior + (client == overTcp ? " over TCP" : " over a Unix socket");
                    for (int round = 0; round < 2; round++)
                    {
                        Stopwatch time = Stopwatch.StartNew();
                        Decision decision = client.Classify(new CalendarFullException("no room"), From("exchange"));
                        bool isGood = behavior < Behavior.Unavailable;
                        Check(what, isGood ? decision.Code == "DSEX001" && decision.Error == null
                            : decision.Code == "DSUNK001" && decision.Message == "[DSUNK001] no room" && decision.Id == "tx-1"
                                && decision.UnknownReason == "unavailable" && !string.IsNullOrEmpty(decision.Error) && decision.Ruleset == "",
                            decision.Json);
                        Check(what + " in time", time.Elapsed < timeout + TimeSpan.FromMilliseconds(600), time.Elapsed);
                        if (round == 0 && !isGood)
                        {
                            Console.WriteLine("{0}: {1} ms, {2}", what, (int)time.Elapsed.TotalMilliseconds, decision.Error);
                        }
                    }
                }
            }
        }
        using (var down = new FaultbookClient("http://127.0.0.1:1", options))
        using (var nowhere = FaultbookClient.OverUnixSocket(Path.Combine(directory, "nowhere"), options))
        using (var unresolved = new FaultbookClient("http://faultbook.invalid:8321/", options))
        {
            foreach (FaultbookClient client in new[] { down, nowhere, unresolved })
            {
                Decision decision = client.Classify(new CalendarFullException("no room"));
                Check("down", decision.UnknownReason == "unavailable" && decision.Error.Length > 0, decision.Json);
                Console.WriteLine("down: {0}", decision.Error);
                decision = client.ClassifyJson("{\"exceptions\":[{\"type\":\"A\"},{\"message\":\"inner\"}]}");
                Check("down, JSON", decision.Message == "[DSUNK001] inner", decision.Json);
                decision = client.ClassifyJson("nonsense");
                Check("down, no JSON", decision.Message == "[DSUNK001] Unexpected exception", decision.Json);
            }
        }
        // As many wait for the service as may; one more has to wait for a place.
        string full = Path.Combine(directory, "full");
        using (var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        using (FaultbookClient client = FaultbookClient.OverUnixSocket(full, options))
        {
            listener.Bind(UnixEndPoint(full));
            listener.Listen(0);
            for (int i = 0; i < 3; i++)
            {
                new Thread(() => client.Classify(null)) { IsBackground = true }.Start();
            }
            Thread.Sleep(100);
            Stopwatch time = Stopwatch.StartNew();
            Decision decision = client.Classify(new CalendarFullException("no room"));
            Check("full", decision.UnknownReason == "unavailable", decision.Json);
            Check("full in time", time.Elapsed < timeout + TimeSpan.FromMilliseconds(600), time.Elapsed);
            Console.WriteLine("full: {0} ms, {1}", (int)time.Elapsed.TotalMilliseconds, decision.Error);
        }
        var closed = new FaultbookClient("http://127.0.0.1:1", options);
        closed.Dispose();
        closed.Dispose();
        Check("closed", closed.Classify(new CalendarFullException("x")).Error == "the client is disposed", closed.Classify(null).Json);
        foreach (string address in new[] { null, "", "nowhere", "ftp://x/", "/run/x.sock" })
        {
            Check("no address", Caught(() => new FaultbookClient(address)) is ArgumentException, address);
        }
        Check("no socket", Caught(() => FaultbookClient.OverUnixSocket(new string('x', 200))) is ArgumentException, "");
        Check("no token", Caught(() => new FaultbookClient("http://x/", new FaultbookClientOptions { Token = "a\r\nb: c" })) is ArgumentException, "");
        Check("no timeout", Caught(() => new FaultbookClient("http://x/", new FaultbookClientOptions { Timeout = TimeSpan.Zero })) is ArgumentException, "");
    }

    /// <summary>A client outlives the service that it asks.</summary>
    private static void Restart(string tool, string directory)
    {
        string socket = Path.Combine(directory, "restart");
        var patient = new FaultbookClientOptions { Timeout = TimeSpan.FromSeconds(5) };
        var port = new TcpListener(IPAddress.Loopback, 0);
        port.Start();
        string address = "127.0.0.1:" + ((IPEndPoint)port.LocalEndpoint).Port;
        port.Stop();
        using (var overTcp = new FaultbookClient("http://" + address, patient))
        using (var overUnix = FaultbookClient.OverUnixSocket(socket, patient))
        {
            for (int round = 0; round < 3; round++)
            {
                var start = new ProcessStartInfo(tool, "serve --access-log off --listen " + address + " --socket " + socket);
                start.UseShellExecute = false;
                start.RedirectStandardError = true;
                using (Process service = Process.Start(start))
                {
                    foreach (FaultbookClient client in new[] { overTcp, overUnix })
                    {
                        Stopwatch time = Stopwatch.StartNew();
                        Decision decision;
                        do
                        {
                            decision = client.Classify(new SqlException("x", 1205));
                        }
                        while (decision.Code != "DSDB001" && time.Elapsed < TimeSpan.FromSeconds(20));
                        Check("answered by start " + round, decision.Code == "DSDB001", decision.Json);
                    }
                    service.Kill();
                    service.WaitForExit();
                }
                foreach (FaultbookClient client in new[] { overTcp, overUnix })
                {
                    Decision decision = client.Classify(new SqlException("x", 1205));
                    Check("answered by itself after " + round, decision.UnknownReason == "unavailable", decision.Json);
                }
            }
        }
    }

    /// <summary>Every type that the assembly uses is one of netstandard2.0, whose facade names them all.</summary>
    private static void Surface(string facade)
    {
        string names = Encoding.GetEncoding("iso-8859-1").GetString(File.ReadAllBytes(facade));
        Module module = typeof(FaultbookEngine).Module;
        int types = 0;
        for (int token = 0x01000001; ; token++)
        {
            Type type;
            try
            {
                type = module.ResolveType(token);
            }
            catch (ArgumentException)
            {
                break;
            }
            types++;
            Check("in netstandard2.0", names.Contains("\0" + type.Name + "\0"), type);
        }
        Check("there are types", types > 50, types);
        foreach (AssemblyName name in typeof(FaultbookEngine).Assembly.GetReferencedAssemblies())
        {
            string[] own = { "mscorlib", "System", "System.Core", "System.Net.Http" };
            Check("an assembly of the framework", Array.IndexOf(own, name.Name) >= 0, name);
        }
    }

    private static EndPoint Loopback()
    {
        return new IPEndPoint(IPAddress.Loopback, 0);
    }

    private static EndPoint UnixEndPoint(string path)
    {
        return (EndPoint)Activator.CreateInstance(typeof(FaultbookClient).Assembly.GetType("Faultbook.UnixEndPoint"), path);
    }

    private sealed class CalendarFullException : Exception
    {
        public CalendarFullException(string message)
            : base(message)
        {
        }
    }

    private sealed class SlowPartnerException : TimeoutException
    {
    }

    /// <summary>As HttpRequestException is since .NET 5.</summary>
    private sealed class StatusException : HttpRequestException
    {
        public StatusException(HttpStatusCode status)
        {
            StatusCode = status;
        }

        public HttpStatusCode? StatusCode { get; }
    }

    /// <summary>Whatever it is asked, it throws.</summary>
    private sealed class HostileException : Microsoft.Kiota.Abstractions.ApiException
    {
        public HostileException()
            : base("")
        {
        }

        public override string Message
        {
            get { throw new InvalidOperationException("no message"); }
        }

        public override IDictionary Data
        {
            get { throw new InvalidOperationException("no data"); }
        }

        public override string StackTrace
        {
            get { throw new InvalidOperationException("no stack"); }
        }

        public new int ResponseStatusCode
        {
            get { throw new InvalidOperationException("no status"); }
        }

        public override bool Equals(object other)
        {
            throw new InvalidOperationException("not equal");
        }

        public override int GetHashCode()
        {
            throw new InvalidOperationException("no hash");
        }

        public override string ToString()
        {
            throw new InvalidOperationException("no text");
        }
    }
}

/// <summary>How a stand-in for the service behaves: well up to Unavailable, badly from there on.</summary>
internal enum Behavior
{
    Good,
    GoodOnceForEachConnection,
    GoodInParts,
    GoodInChunks,
    GoodUntilClosed,
    Unavailable,
    UnavailableWithoutProblem,
    Unauthorized,
    Redirect,
    Silent,
    Dripping,
    ClosesAtOnce,
    ClosesInTheMiddle,
    SpeaksNoHttp,
    AnswersHtml,
    AnswersAnEmptyObject,
    AnswersAList,
    AnswersHalfADecision,
    AnswersWithoutEnd,
    SaysItIsHuge,
    NegativeLength,
    HeadWithoutEnd,
    BadChunks,
}

/// <summary>A stand-in for the service.</summary>
internal sealed class Server : IDisposable
{
    private const string Decided = "{\"id\":null,\"code\":\"DSEX001\",\"title\":\"t\",\"status\":\"Failed\",\"retry\":\"fix-config\","
        + "\"action\":\"fix-config\",\"message\":\"[DSEX001] m\",\"rule\":\"r\",\"captures\":{},\"evidence\":[],\"unknown_reason\":null,"
        + "\"log\":{\"error_code\":\"DSEX001\",\"stack_trace\":false},\"ruleset\":\"sha256:0\"}";

    private readonly Socket _listener;
    private readonly Behavior _behavior;
    private readonly List<Socket> _open = new List<Socket>();
    private volatile bool _isOver;

    public Server(EndPoint endPoint, Behavior behavior)
    {
        _behavior = behavior;
        _listener = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(endPoint);
        _listener.Listen(16);
        if (endPoint is IPEndPoint)
        {
            Address = "http://127.0.0.1:" + ((IPEndPoint)_listener.LocalEndPoint).Port + "/";
        }
        new Thread(Accept) { IsBackground = true }.Start();
    }

    public string Address { get; }

    public void Dispose()
    {
        // Each thread closes its own socket: closing one that another thread waits on can wait for ever.
        _isOver = true;
        lock (_open)
        {
            foreach (Socket socket in _open)
            {
                try
                {
                    socket.Shutdown(SocketShutdown.Both);
                }
                catch (Exception)
                {
                    // It is closed already.
                }
            }
        }
    }

    private void Accept()
    {
        try
        {
            while (!_isOver)
            {
                if (!_listener.Poll(20000, SelectMode.SelectRead))
                {
                    continue;
                }
                Socket socket = _listener.Accept();
                lock (_open)
                {
                    _open.Add(socket);
                }
                new Thread(() => Serve(socket)) { IsBackground = true }.Start();
            }
        }
        catch (Exception)
        {
            // It is over.
        }
        _listener.Close();
    }

    private void Serve(Socket socket)
    {
        try
        {
            while (!_isOver && Request(socket) && Answer(socket))
            {
            }
        }
        catch (Exception)
        {
            // The client has gone.
        }
        socket.Close();
    }

    private static bool Request(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            int read = socket.Receive(buffer);
            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
            string so = text.ToString();
            int end = so.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            int at = so.IndexOf("Content-Length: ", StringComparison.OrdinalIgnoreCase);
            if (end >= 0 && (at < 0 || so.Length - end - 4 >= int.Parse(so.Substring(at + 16, so.IndexOf('\r', at) - at - 16))))
            {
                return true;
            }
            if (read == 0)
            {
                return false;
            }
        }
    }

    /// <summary>Whether the connection stays open.</summary>
    private bool Answer(Socket socket)
    {
        switch (_behavior)
        {
            case Behavior.Good:
                return Send(socket, "200 OK", Decided);
            case Behavior.GoodOnceForEachConnection:
                Send(socket, "200 OK", Decided);
                return false;
            case Behavior.GoodInParts:
                foreach (char c in "HTTP/1.1 200 OK\r\nContent-Length: " + Decided.Length + "\r\n\r\n" + Decided)
                {
                    socket.Send(new[] { (byte)c });
                }
                return true;
            case Behavior.GoodInChunks:
                return Raw(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + Decided.Substring(0, 5) + "\r\n"
                    + (Decided.Length - 5).ToString("x") + "\r\n" + Decided.Substring(5) + "\r\n0\r\n\r\n");
            case Behavior.GoodUntilClosed:
                Raw(socket, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + Decided);
                return false;
            case Behavior.Unavailable:
                return Send(socket, "503 Service Unavailable", "{\"title\":\"too busy\",\"detail\":\"come back later\"}");
            case Behavior.UnavailableWithoutProblem:
                return Send(socket, "502 Bad Gateway", "<html>");
            case Behavior.Unauthorized:
                return Send(socket, "401 Unauthorized", "{\"title\":\"no token\"}");
            case Behavior.Redirect:
                return Raw(socket, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
            case Behavior.Silent:
                Thread.Sleep(5000);
                return false;
            case Behavior.Dripping:
                foreach (char c in "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nA: " + new string('x', 100))
                {
                    socket.Send(new[] { (byte)c });
                    Thread.Sleep(50);
                }
                return false;
            case Behavior.ClosesAtOnce:
                return false;
            case Behavior.ClosesInTheMiddle:
                Raw(socket, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + Decided.Substring(0, 40));
                return false;
            case Behavior.SpeaksNoHttp:
                Raw(socket, "220 mail.example.com ESMTP\r\n\r\n");
                return false;
            case Behavior.AnswersHtml:
                return Send(socket, "200 OK", "<!doctype html><title>Sign in</title>");
            case Behavior.AnswersAnEmptyObject:
                return Send(socket, "200 OK", "{}");
            case Behavior.AnswersAList:
                return Send(socket, "200 OK", "[" + Decided + "]");
            case Behavior.AnswersHalfADecision:
                return Send(socket, "200 OK", Decided.Substring(0, Decided.Length / 2));
            case Behavior.AnswersWithoutEnd:
                Raw(socket, "HTTP/1.1 200 OK\r\n\r\n");
                while (!_isOver)
                {
                    Raw(socket, new string('x', 1 << 16));
                }
                return false;
            case Behavior.SaysItIsHuge:
                Raw(socket, "HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\nx");
                Thread.Sleep(2000);
                return false;
            case Behavior.NegativeLength:
                return Raw(socket, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + Decided);
            case Behavior.HeadWithoutEnd:
                Raw(socket, "HTTP/1.1 200 OK\r\n");
                while (!_isOver)
                {
                    Raw(socket, "A: " + new string('x', 1000) + "\r\n");
                }
                return false;
            default:
                return Raw(socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + Decided);
        }
    }

    private static bool Send(Socket socket, string status, string body)
    {
        return Raw(socket, "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\nContent-Length: " + body.Length + "\r\n\r\n" + body);
    }

    private static bool Raw(Socket socket, string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        for (int sent = 0; sent < bytes.Length;)
        {
            sent += socket.Send(bytes, sent, bytes.Length - sent, SocketFlags.None);
        }
        return true;
    }
}
