// Exceptions of packages, by name and shape: what the reader knows of them it knows by reflection.
using System;
using System.Collections.Generic;
using System.Data.Common;

namespace Microsoft.Data.SqlClient
{
    public sealed class SqlError
    {
        public int Number { get; set; }
    }

    public sealed class SqlException : DbException
    {
        public SqlException(string message, params int[] numbers)
            : base(message)
        {
            Errors = Array.ConvertAll(numbers, number => new SqlError { Number = number });
        }

        public SqlError[] Errors { get; }

        public int Number
        {
            get { return Errors[0].Number; }
        }
    }
}

namespace Microsoft.Identity.Client
{
    public class MsalException : Exception
    {
        public MsalException(string code, string message)
            : base(message)
        {
            ErrorCode = code;
        }

        public string ErrorCode { get; }
    }

    public class MsalServiceException : MsalException
    {
        public MsalServiceException(string code, string message, int status)
            : base(code, message)
        {
            StatusCode = status;
        }

        public int StatusCode { get; }
    }
}

namespace Microsoft.Kiota.Abstractions
{
    public class ApiException : Exception
    {
        public ApiException(string message)
            : base(message)
        {
        }

        public int ResponseStatusCode { get; set; }
    }
}

namespace Microsoft.Graph.Models.ODataErrors
{
    public sealed class MainError
    {
        public string Code { get; set; }
    }

    public sealed class ODataError : Microsoft.Kiota.Abstractions.ApiException
    {
        public ODataError()
            : base("Exception of type 'Microsoft.Graph.Models.ODataErrors.ODataError' was thrown.")
        {
        }

        public MainError Error { get; set; }
    }
}
